"""What the records refuse is not lost: it is tried again, and kept once."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.control.records.lines import T0

from igoudar.control.actuation import chronicle as room
from igoudar.control.actuation.chronicle import Chronicle
from igoudar.control.records.audit import verify
from igoudar.control.records.state import Records


def say(chronicle: Chronicle, target: str) -> None:
    chronicle.say(T0, "ada", "mode", target, "auto", "control.operator", {"who": "ada", "reason": "r"})


def move(records: Records, before: str, after: str) -> None:
    with records.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


def test_lines_that_were_refused_are_kept_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "UNKEPT", 2)
    records = Records.open(tmp_path / "state.sqlite")
    chronicle = Chronicle(records, "UTC", "v1")
    move(records, "actions", "away")
    for target in ("a", "b", "c"):
        say(chronicle, target)
        chronicle.flush()
        assert "no such table" in records.refused
    move(records, "away", "actions")
    say(chronicle, "d")
    chronicle.flush()
    chronicle.flush()
    assert not records.refused
    rows = list(records.links())
    assert [row.target for row in rows] == ["audit", "b", "c", "d"]
    assert (rows[0].code, rows[0].params) == ("audit.lines_lost", {"lost": 1})
    assert verify(records).whole
    records.close()


def test_a_line_behind_a_fault_of_another_is_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    chronicle = Chronicle(records, "UTC", "v1")
    busy = [True]
    monkeypatch.setattr("igoudar.control.records.state.engine.passes", lambda _: busy[0])
    move(records, "published", "away")
    records.prune(T0)  # waits for the disk, and turns out to be at fault
    busy[0] = False
    say(chronicle, "a")
    chronicle.flush()
    assert records.refused
    chronicle.flush()
    assert [row.target for row in records.links()] == ["a"]
    assert verify(records).whole
    records.close()
