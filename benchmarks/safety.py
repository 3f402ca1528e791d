"""The auditor's list, proved and written down; `python -m benchmarks.safety` writes docs/safety.md.

Runs every `test_line_NN_...` and `test_lesson_21..27_...`, and beside each number sets what it is about, how
many tests prove it and how they ended. Figures come from the results of `slurm` and `setpoints`, where these
were measured; those of the soaks from a report that `make soak PYTEST_ARGS="tests/safety --junitxml=FILE"`
wrote and `--soak FILE` has kept.
"""

import argparse
import ast
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # the report is our own

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs" / "safety.md", Path(__file__).parent / "results"
NUMBERED = re.compile(r"test_(line|lesson)_(\d\d)_\w+")
LINES, LESSONS = range(1, 37), range(21, 28)
HEAD = """# The safety list, as it was proved last

Written by `make bench BENCH=safety` on {day} ({machine}). Each row is a line of the list that an auditor
goes through, by its number; its tests are called `test_line_NN_...` and run with `make test`. How the parts
work together is in [acting.md](acting.md).

"""
STAND_INS = """
**Stand-ins.** GPU caps are set through `nvidia-ml-py` on a small library with NVML's C interface, not on a
GPU. Devices are simulators that speak real Modbus TCP, OPC UA and HTTP on loopback. Slurm (Debian's 22.05,
emulated nodes), mosquitto and PostgreSQL are the real programs.
"""


@dataclass(slots=True)
class Line:
    """One number: what it is about and how its tests ended."""

    about: str = ""
    ended: Counter[str] = field(default_factory=Counter)


def described() -> Mapping[tuple[str, int], str]:
    """What each number is about: the first line of the module that tests it."""
    found: dict[tuple[str, int], str] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        about = re.sub(
            r"^(\d+\. |(Line|Lesson) \d+: )", "", (ast.get_docstring(tree) or "").partition("\n")[0]
        )
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            match = NUMBERED.fullmatch(node.name)
            if match:
                found.setdefault((match[1], int(match[2])), about)
    return found


def files() -> list[str]:
    """The modules that hold numbered tests."""
    paths = (ROOT / "tests").rglob("test_*.py")
    return sorted(str(path) for path in paths if NUMBERED.search(path.read_text()))


def ended(report: Path) -> Iterable[tuple[tuple[str, int], str]]:
    """(kind and number, passed | failed | skipped) of each numbered test."""
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest's own report
        match = NUMBERED.match(case.get("name", "").partition("[")[0])
        if match:
            outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "")
            yield (match[1], int(match[2])), {"": "passed", "skipped": "skipped"}.get(outcome, "failed")


def proved(report: Path) -> Mapping[tuple[str, int], Line]:
    """Every number with its tests, as a report of pytest tells."""
    lines: defaultdict[tuple[str, int], Line] = defaultdict(Line)
    for key, about in described().items():
        lines[key].about = about
    for key, outcome in ended(report):
        lines[key].ended[outcome] += 1
    return lines


def run(report: Path) -> int:
    """Run every numbered test; pytest's exit code."""
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        f"--junitxml={report}",
        "-k",
        "test_line_ or test_lesson_2",
    ]
    return subprocess.run([*words, *files()], cwd=ROOT, check=False).returncode  # noqa: S603 - our own tests


def page(lines: Mapping[tuple[str, int], Line], soaked: str) -> str:
    """The whole document."""
    machine = f"{os.cpu_count()} CPUs, Python {platform.python_version()}"
    text = HEAD.format(day=datetime.now(UTC).date(), machine=machine)
    text += (
        _table("line", LINES, lines)
        + "\nFrom the field, on controlling:\n\n"
        + _table("lesson", LESSONS, lines)
    )
    return text + STAND_INS + _figures() + soaked


def _table(kind: str, numbers: Iterable[int], lines: Mapping[tuple[str, int], Line]) -> str:
    rows = [f"| {kind} | what | tests |", "|---|---|---|"]
    for number in numbers:
        line = lines.get((kind, number), Line())
        told = ", ".join(f"{count} {word}" for word, count in sorted(line.ended.items()))
        rows.append(f"| {number} | {line.about or '-'} | {told or '**none**'} |")
    return "\n".join(rows) + "\n"


def _figures() -> str:
    rows = ["\n| measured | value | bar |", "|---|---|---|"]
    slurm, setpoints = _result("slurm"), _result("setpoints")
    if slurm:
        worst_s = max(verb["p99_s"] for verb in slurm["one_by_one"].values())
        all_s, way = min((found["own_times_s"], name) for name, found in slurm["jobs_300"].items())
        rows.append(
            f"| decision to Slurm's acknowledgement, p99 of the slowest verb | {worst_s:.3f} s | 1 s |"
        )
        rows.append(
            f"| 300 jobs delayed, each to its own time ({way.replace('_', ' ')}) | {all_s:.2f} s | 4 s |"
        )
    for site, found in setpoints.items():
        if isinstance(found, dict):
            rows.append(f"| setpoint to verified read-back, p99, {site} | {found['p99_s']:.3f} s | 1 s |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else ""


def _result(name: str) -> Mapping[str, Any]:
    path = RESULTS / f"{name}.json"
    found: Mapping[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def keep_soak(report: Path) -> None:
    """Keep how the soaks ended and what they measured: results/soak.json."""
    cases = ElementTree.parse(report).iter("testcase")  # noqa: S314 - pytest's own report
    found = {case.get("name", ""): _soaked(case) for case in cases}
    (RESULTS / "soak.json").write_text(json.dumps(found, indent=1) + "\n")


def _soaked(case: ElementTree.Element) -> Mapping[str, str]:
    failed = any(child.tag in ("failure", "error", "skipped") for child in case)
    measured = {one.get("name", ""): one.get("value", "") for one in case.iter("property")}
    return {"ended": "**failed**" if failed else "passed", **measured}


def storms() -> str:
    """What soaked: control killed again and again, writers taking over; nothing where none was kept."""
    rows = ["\n| `make soak` | ended |", "|---|---|"]
    for name, found in _result("soak").items():
        told = ", ".join(word if key == "ended" else f"{key} {word}" for key, word in found.items())
        rows.append(f"| {name.replace('_', ' ')} | {told} |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else ""


def main() -> None:
    """Prove, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="take this junit report of a whole run, run nothing")
    parser.add_argument("--soak", type=Path, help="keep what this junit report of `make soak` says")
    options = parser.parse_args()
    if options.soak:
        keep_soak(options.soak)
    with tempfile.TemporaryDirectory() as folder:
        report = options.report or Path(folder) / "report.xml"
        code = 0 if options.report else run(report)
        PAGE.write_text(page(proved(report), storms()))
    sys.exit(code)


if __name__ == "__main__":
    main()
