"""29. Audit: who, what, before, after, why, result, when; chained, and anchored outside the file."""

from pathlib import Path

import pytest
from sqlalchemy import text

from igoudar.control.records.audit import verify
from igoudar.control.records.opening import open_records
from igoudar.control.records.state import Records
from igoudar.core.model_people import Auditing
from tests.control.records.lines import action


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Another disk."""
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk" / "anchor"


def opened(state: Path, elsewhere: Path) -> Records:
    return open_records(Auditing(anchor_file=str(elsewhere)), state)


def told(records: Records) -> list[str]:
    return [problem.code for problem in verify(records).problems]


def test_line_29_a_line_says_who_what_before_after_why_result_and_when(tmp_path: Path) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    records.add([action("battery-1", before="0", after="-50000", who="ada", result="done")])
    (line,) = records.actions()
    said = (line.who, line.verb, line.target, line.before, line.after, line.result, line.config_version)
    assert said == ("ada", "delay", "battery-1", "0", "-50000", "done", "abc")
    assert (line.code, line.params) == ("control.wait", {"power_w": 1.0})
    assert line.at.tzinfo is not None
    records.close()


@pytest.mark.parametrize("column", ["who", "verb", "target", "before", "after", "result", "code", "at"])
def test_line_29_no_part_of_a_line_can_be_changed_unseen(
    tmp_path: Path, elsewhere: Path, column: str
) -> None:
    records = opened(tmp_path, elsewhere)
    for name in "abc":
        records.add([action(name, before="1", after="2")])
    assert told(records) == []
    value = "2020-01-01 00:00:00.000000" if column == "at" else "another"
    with records.engine.begin() as connection:
        connection.execute(text(f"UPDATE actions SET {column} = :value WHERE id = 2"), {"value": value})  # noqa: S608 - a column of ours
    assert told(records) == ["audit.edited"]
    records.close()


def test_line_29_a_cut_that_the_chain_alone_can_t_show_is_shown_by_its_anchor(
    tmp_path: Path, elsewhere: Path
) -> None:
    records = opened(tmp_path, elsewhere)
    for name in "abc":
        records.add([action(name)])
    second = records.link(2)
    assert second
    with records.engine.begin() as connection:
        connection.execute(text("DELETE FROM actions WHERE id = 3"))
        connection.execute(text("UPDATE audit_head SET number = 2, hash = :hash"), {"hash": second.hash})
    assert "audit.cut" in told(records)
    kept = (tmp_path / "audit.anchor").read_text().splitlines(keepends=True)
    (tmp_path / "audit.anchor").write_text("".join(kept[:2]))
    assert told(records) == ["audit.cut"]  # the anchor on the other disk still knows
    records.close()


def test_line_29_a_chain_written_anew_with_good_hashes_is_not_the_anchored_one(
    tmp_path: Path, elsewhere: Path
) -> None:
    (tmp_path / "forged").mkdir()
    records, forged = opened(tmp_path, elsewhere), Records.open(tmp_path / "forged" / "state.sqlite")
    for name in "abc":
        records.add([action(name)])
        forged.add([action(name, who="somebody else")])
    records.close()
    forged.close()
    for suffix in ("", "-wal", "-shm"):
        path = tmp_path / f"state.sqlite{suffix}"
        path.unlink(missing_ok=True)
        other = tmp_path / "forged" / f"state.sqlite{suffix}"
        if other.exists():
            other.rename(path)
    again = opened(tmp_path, elsewhere)
    assert set(told(again)) == {"audit.unlike"}
    again.close()
