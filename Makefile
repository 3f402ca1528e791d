# Two commands matter: `make up` starts the default site, `make test` proves the tree.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
SITE ?= jazari-lab
BENCH ?= all
PYTEST_ARGS ?=
# The newest interpreter that the project supports; PYTHON=... overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && { echo $$p; break; }; done)
STAMP := $(VENV)/.stamp

.PHONY: help setup up test check bench soak bill clean

help:
	@echo "make up      start the site '$(SITE)': simulators, collectors, store, control, API, dashboard"
	@echo "make test    checks (ruff, mypy, layers) and tests"
	@echo "make bench   measurements [BENCH=store|...], written to benchmarks/results/"
	@echo "make soak    the long storms"
	@echo "make bill    the bill of materials (CycloneDX) of this installation: bill.json"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "igoudar needs Python 3.11, 3.12 or 3.13: install one (Debian: apt install python3) or set PYTHON=/path/to/python3"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: install it (Debian: apt install python3-venv)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode -c constraints.txt -e . --group test --group check
	@touch $(STAMP)

up: setup
	@exec $(BIN)/igoudar up $(SITE)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=.types $(BIN)/lint-imports

test: check
	@$(BIN)/pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

bench: setup
	@$(BIN)/python -m benchmarks $(BENCH)

soak: setup
	@IGOUDAR_HYPOTHESIS=soak $(BIN)/pytest -m soak $(PYTEST_ARGS)

bill: setup
	@$(BIN)/igoudar bill --out bill.json

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache test-artifacts
