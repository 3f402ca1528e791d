from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.control.failsafe.audit import FailsafeAudit
from igoudar.control.failsafe.deeds import NOT_NEEDED, RESUMED, Deed, write_deeds
from igoudar.control.failsafe.suspended import Suspended, SuspendedJobs
from igoudar.control.failsafe.watch import Pause, Why
from igoudar.control.picture import Picture
from igoudar.control.records.state import Records

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
ENTRY = Suspended(AT, AT + timedelta(minutes=30))


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records.open(tmp_path / "state.sqlite")


def deed(number: int, state: str, entry: Suspended = ENTRY) -> Deed:
    return Deed(f"id-{number}", Pause(str(number), entry), Why.SILENCE, AT, state, attempts=1)


def audit(state: Path, records: Records) -> FailsafeAudit:
    book = SuspendedJobs(state)
    return FailsafeAudit(state, records, lambda job_id, _: book.forget([job_id]), "v1", "Africa/El_Aaiun")


def test_each_deed_enters_the_audit_once_even_across_restarts(tmp_path: Path, records: Records) -> None:
    for number in (1, 2):
        SuspendedJobs(tmp_path).note(str(number), ENTRY.at, ENTRY.resume_by)
    reader = audit(tmp_path, records)
    assert reader.absorb() == ()
    write_deeds(tmp_path, [deed(1, RESUMED), deed(2, "asking")])
    assert [found.deed_id for found in reader.absorb()] == ["id-1"]
    assert reader.absorb() == ()
    assert SuspendedJobs(tmp_path).read().keys() == {"2"}
    write_deeds(tmp_path, [deed(1, RESUMED), deed(2, NOT_NEEDED)])
    assert [found.deed_id for found in audit(tmp_path, records).absorb()] == ["id-2"]
    assert SuspendedJobs(tmp_path).read() == {}
    rows = records.actions(10)
    assert [(row.who, row.verb, row.target, row.result) for row in rows] == [
        ("failsafe", "resume", "2", "not needed"),
        ("failsafe", "resume", "1", "done"),
    ]
    assert rows[1].params["command_id"] == "id-1"
    assert rows[1].config_version == "v1"


def test_a_job_that_was_paused_anew_keeps_its_new_promise(tmp_path: Path, records: Records) -> None:
    later = Suspended(AT + timedelta(hours=1), AT + timedelta(hours=2))
    SuspendedJobs(tmp_path).note("1", later.at, later.resume_by)
    write_deeds(tmp_path, [deed(1, RESUMED)])
    audit(tmp_path, records).absorb()
    assert SuspendedJobs(tmp_path).read() == {"1": later}


def test_an_unreadable_record_is_told_and_read_again_later(
    tmp_path: Path, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "failsafe.json").write_text("{")
    reader = audit(tmp_path, records)
    assert reader.absorb() == ()
    assert "can't be read" in caplog.text
    write_deeds(tmp_path, [deed(1, RESUMED)])
    assert len(reader.absorb()) == 1


def test_what_was_resumed_is_one_alarm_and_what_needed_nothing_is_none(
    tmp_path: Path, records: Records
) -> None:
    reader, nothing = audit(tmp_path, records), Picture(AT)
    write_deeds(tmp_path, [deed(1, RESUMED), deed(2, RESUMED), deed(3, NOT_NEEDED)])
    reader.absorb()
    (signal,) = reader.signals(nothing, {})
    assert (signal.code, signal.params["jobs"], signal.params["first"]) == ("failsafe_acted", 2, "1")
    assert signal.pulse
    assert not list(reader.signals(nothing, {}))
