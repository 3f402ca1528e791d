"""Backup and doctor of a site whose records are in a real PostgreSQL."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from igoudar.app import pg_export
from igoudar.app.state import state_folder
from igoudar.control.lease import LEASE_S
from igoudar.control.lease.postgres import PostgresLease
from igoudar.control.records.audit import verify
from igoudar.control.records.opening import open_records
from igoudar.control.records.state import Records
from igoudar.core.errors import IgoudarError, StoreError
from igoudar.core.model_people import Auditing
from igoudar.core.store.parquet import ParquetStore
from tests.app.test_keeping import answer, findings, reading, run
from tests.control.records.lines import action
from tests.peers.postgres import Server, postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres() as running:
        yield running


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = state_folder("lab", tmp_path / "state")
    with ParquetStore.open(folder / "store") as store:
        store.append([reading(1)])
    return folder


@pytest.fixture
def url_file(server: Server, tmp_path: Path) -> Path:
    return server.create(tmp_path)


@pytest.fixture
def site(url_file: Path, tmp_path: Path) -> Path:
    """A site file that names that database, and an anchor on another disk."""
    written = files("igoudar.seeds").joinpath("jazari-lab.toml").read_text()
    path = tmp_path / "site.toml"
    tables = f'\n[records]\nurl_file = "{url_file}"\n[audit]\nanchor_file = "{tmp_path}/far.anchor"\n'
    path.write_text(written + tables)
    return path


@pytest.fixture
def records(url_file: Path, state: Path, tmp_path: Path) -> Iterator[Records]:
    rules = Auditing(url_file=str(url_file), anchor_file=str(tmp_path / "far.anchor"))
    opened = open_records(rules, state)
    for name in "abc":
        opened.add([action(name)])
    yield opened
    opened.close()


def said(site: Path, state: Path) -> dict[str, Any]:
    found = answer("doctor", site, "--state", state)["findings"]
    return {one["code"].removeprefix("app.doctor_"): one for one in found}


def test_doctor_asks_the_database_its_lease_and_its_clock(site: Path, state: Path, records: Records) -> None:
    found = said(site, state)
    assert found["audit_ok"]["params"] == {"rows": 3, "anchored": 3, "files": 2}
    assert found["database_ok"]["level"] == "ok"
    assert abs(found["database_clock_ok"]["params"]["offset_s"]) <= 1.0
    assert "lease_free" in found
    lease = PostgresLease(records.engine, lambda: 0, LEASE_S, 1.0, "host-a:77")
    assert lease.take()
    assert said(site, state)["lease_held"]["params"] == {"holder": "host-a:77", "epoch": lease.epoch}
    lease.close()


def test_doctor_names_a_database_that_is_away_and_never_its_password(
    site: Path, state: Path, url_file: Path, server: Server
) -> None:
    url_file.write_text(server.url("nowhere") + "\n")
    result = run("doctor", site, "--state", state)
    assert result.exit_code == 1
    assert "nowhere" in result.output
    assert server.password not in result.output
    url_file.chmod(0o644)
    assert "chmod 600" in run("doctor", site, "--state", state).output


def test_doctor_makes_no_tables(site: Path, state: Path, server: Server, url_file: Path) -> None:
    said(site, state)
    empty = open_records(Auditing(url_file=str(server.create(state))), state)
    names = empty.rows(text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
    empty.close()
    assert "actions" in names  # what opening makes
    import psycopg

    with psycopg.connect(url_file.read_text().strip()) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)  # what looking makes


def test_a_backup_holds_the_records_of_the_database_and_they_come_back(
    site: Path, state: Path, records: Records, tmp_path: Path, server: Server
) -> None:
    made = answer("backup", tmp_path / "lab.tar", site, "--state", state)
    assert (made["records"], made["anchors"]) == ("records.pgdump", 2)
    other = tmp_path / "other"
    told = run("restore", tmp_path / "lab.tar", site, "--state", other)
    assert "pg_restore --no-owner" in told.output
    fresh = server.create(other)
    url = fresh.read_text().strip()
    back = subprocess.run(
        ["pg_restore", "--no-owner", f"--dbname={url}", str(other / "records.pgdump")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert back.returncode == 0, back.stderr
    rules = Auditing(url_file=str(fresh))
    restored = open_records(rules, other)
    assert verify(restored).whole
    assert [row.target for row in restored.links()] == [row.target for row in records.links()]
    restored.close()
    assert (other / "audit.anchor.elsewhere").exists()


def test_the_password_is_on_no_command_line_and_in_no_environment(
    site: Path, state: Path, records: Records, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "bin" / "pg_dump"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nenv > {tmp_path}/seen\necho "$@" >> {tmp_path}/seen\nexec {_real()} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    assert answer("backup", tmp_path / "lab.tar", site, "--state", state)["records"] == "records.pgdump"
    seen = (tmp_path / "seen").read_text()
    assert "--dbname=postgresql://" in seen
    assert server.password not in seen
    assert not list(state.rglob("pgpass"))


def _real() -> str:
    found = shutil.which("pg_dump")
    assert found is not None
    return found


def test_a_passphrase_that_pg_dump_would_take_on_its_command_line_is_not_given(tmp_path: Path) -> None:
    url_file, target = tmp_path / "url", tmp_path / "records.dump"
    url_file.write_text("postgresql+psycopg://u@192.0.2.1/d?sslpassword=geheim")
    url_file.chmod(0o600)
    with pytest.raises(StoreError, match="passphrase") as told:
        pg_export.export(url_file, tmp_path, target)
    assert "geheim" not in str(told.value)
    assert not target.exists()


def test_without_pg_dump_the_backup_says_what_to_do(
    site: Path, state: Path, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_export, "installed", lambda: False)
    told = run("backup", tmp_path / "lab.tar", site, "--state", state)
    assert told.exit_code == 0
    assert "NOT in it" in told.output
    assert "pg_dump" in told.output
    assert (
        json.loads(run("backup", tmp_path / "b.tar", site, "--state", state, "--json").stdout)["records"]
        == ""
    )
    assert (
        "records are NOT in it"
        in run("backup", tmp_path / "c.tar", site, "--state", state, "--dry-run").output
    )


def test_a_database_that_says_no_leaves_no_half_backup(
    site: Path, state: Path, url_file: Path, server: Server, tmp_path: Path
) -> None:
    url_file.write_text(server.url("nowhere") + "\n")
    with pytest.raises(IgoudarError, match="could not be exported") as refused:
        answer("backup", tmp_path / "lab.tar", site, "--state", state)
    assert server.password not in str(refused.value)
    assert not (tmp_path / "lab.tar").exists()
    assert findings(state)["store_ok"] == "ok"
