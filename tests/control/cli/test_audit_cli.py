"""`igoudar audit` and `igoudar user`, with and without a control that lives."""

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from sqlalchemy import text
from tests.control.records.lines import T0, action
from typer.testing import CliRunner, Result

from igoudar.control.cli import add_commands
from igoudar.control.records.state import Records
from igoudar.control.records.tables import AlarmEventRow, AlarmRow, ModeRow
from igoudar.core.errors import CommandError, ConfigError

Run = Callable[..., Result]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records.open(tmp_path / "state.sqlite")


@pytest.fixture
def run(tmp_path: Path, records: Records) -> Run:
    app = typer.Typer()
    add_commands(app)

    def invoke(*words: object, answer: str = "") -> Result:
        records.close()
        common = ["--state", str(tmp_path), "--lang", "en"]
        return CliRunner().invoke(app, [*map(str, words), *common], input=answer)

    return invoke


def test_verify_says_whether_the_audit_is_whole(run: Run, records: Records) -> None:
    for name in "abc":
        records.add([action(name)])
    done = run("audit", "verify")
    assert (done.exit_code, done.stdout) == (0, "The audit is whole: 3 lines, anchored up to line 3.\n")
    with records.engine.begin() as connection:
        connection.execute(text("DELETE FROM actions WHERE id = 3"))
    done = run("audit", "verify")
    assert done.exit_code == 1
    assert "NOT whole" in done.stdout
    assert "the end was cut off" in done.stdout
    found = json.loads(run("audit", "verify", "--json").stdout)
    assert (found["whole"], found["rows"], found["anchored"]) == (False, 2, 3)


def test_export_carries_the_hashes_of_a_period_oldest_first(
    run: Run, records: Records, tmp_path: Path
) -> None:
    records.add([action(f"job-{n}", T0 + timedelta(hours=n)) for n in range(4)])
    lines = run("audit", "export", "--since", "2026-03-01T01:00:00", "--until", "2026-03-01T03:00:00").stdout
    found = [json.loads(line) for line in lines.splitlines()]
    assert [(one["number"], one["target"]) for one in found] == [(2, "job-1"), (3, "job-2")]
    assert found[1]["previous"] == found[0]["hash"]
    done = run("audit", "export", "--out", tmp_path / "audit.jsonl")
    assert "4 lines written" in done.stdout
    assert len((tmp_path / "audit.jsonl").read_text().splitlines()) == 4


def test_a_table_for_a_spreadsheet_computes_nothing(run: Run, records: Records) -> None:
    records.add([action('=HYPERLINK("http://evil.example")', who="a,b", params={"power_w": 1.5})])
    rows = list(csv.DictReader(run("audit", "export", "--csv").stdout.splitlines()))
    assert rows[0]["target"].startswith("'=")
    assert rows[0]["who"] == "a,b"
    assert json.loads(rows[0]["params"]) == {"power_w": 1.5}
    assert isinstance(run("audit", "export", "--csv", "--json").exception, ConfigError)


def test_an_incident_has_everything_of_a_period_and_how_whole_the_audit_is(
    run: Run, records: Records
) -> None:
    records.add(
        [
            action("before", T0 - timedelta(hours=1)),
            action("then", T0),
            action("after", T0 + timedelta(days=1)),
        ]
    )
    alarm = AlarmRow(
        id="x",
        code="part_dead",
        source="collect",
        group="g",
        priority=1,
        params={"source": "collect"},
        state="unacknowledged",
        raised_at=T0,
        returned_at=None,
        acknowledged_at=None,
        acknowledged_by="",
        occurrences=1,
    )
    records.merge([alarm])
    records.add([AlarmEventRow(at=T0, alarm_id="x", state="unacknowledged", by="control", comment="")])
    records.add([ModeRow(at=T0, mode="observe", by="ada", reason="drill", run_id="r")])
    found = json.loads(
        run("audit", "export", "--incident", "2026-03-01T00:00:00", "2026-03-01T12:00:00").stdout
    )
    assert [line["target"] for line in found["actions"]] == ["then"]
    assert [(step["code"], step["priority"]) for step in found["alarms"]] == [("part_dead", 1)]
    assert [mode["by"] for mode in found["modes"]] == ["ada"]
    assert found["audit"]["whole"] is True
    assert found["from"] == "2026-03-01T00:00:00+00:00"
    wrong = run("audit", "export", "--incident", "2026-03-02T00:00:00", "2026-03-01T00:00:00")
    assert isinstance(wrong.exception, ConfigError)


def test_people_are_added_listed_and_disabled(run: Run, records: Records) -> None:
    assert "Nothing was done" in run("user", "add", "ada", "--role", "admin", "--dry-run").stdout
    added = json.loads(run("user", "add", "ada", "--role", "supervisor", "--json").stdout)
    assert added["token"].startswith("igd_")
    assert isinstance(run("user", "add", "ada").exception, CommandError)
    assert isinstance(run("user", "add", "eve", "--role", "god").exception, ConfigError)
    assert "igd_" in run("user", "add", "eve").stdout
    listed = json.loads(run("user", "list", "--json").stdout)
    assert [(one["name"], one["role"], one["disabled"]) for one in listed] == [
        ("ada", "supervisor", False),
        ("eve", "viewer", False),
    ]
    assert "igd_" not in run("user", "list").stdout
    assert run("user", "disable", "ada", answer="n\n").exit_code == 1
    assert "disabled" in run("user", "disable", "ada", "--yes").stdout
    assert "disabled" in run("user", "list").stdout
    assert isinstance(run("user", "disable", "nobody", "--yes").exception, CommandError)
    again = Records.open(Path(records.engine.url.database or ""))
    assert all(row.who.startswith("local:") for row in again.actions())
    again.close()


def test_a_site_that_never_ran_is_said_clearly(tmp_path: Path) -> None:
    app = typer.Typer()
    add_commands(app)
    done = CliRunner().invoke(app, ["audit", "verify", "--state", str(tmp_path / "none")])
    assert isinstance(done.exception, ConfigError)
    assert "no such state folder" in str(done.exception)
