import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.control.failsafe.suspended import NAME, Suspended, SuspendedJobs
from igoudar.core.errors import StoreError

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
BY = AT + timedelta(minutes=30)


def test_what_is_noted_is_read_by_another_process_until_it_is_forgotten(tmp_path: Path) -> None:
    ours, theirs = SuspendedJobs(tmp_path), SuspendedJobs(tmp_path)
    assert theirs.read() == {}
    ours.note("17", AT, BY)
    ours.note("18_3", AT, BY)
    assert theirs.read() == {"17": Suspended(AT, BY), "18_3": Suspended(AT, BY)}
    ours.forget(["17", "never seen"])
    assert theirs.read() == {"18_3": Suspended(AT, BY)}
    assert not list(tmp_path.glob("*.part"))


def test_the_file_is_the_agreed_document(tmp_path: Path) -> None:
    SuspendedJobs(tmp_path).note("17", AT, BY)
    assert json.loads((tmp_path / NAME).read_text()) == {
        "schema": 1,
        "jobs": {"17": {"at": "2025-03-01T12:00:00+00:00", "resume_by": "2025-03-01T12:30:00+00:00"}},
    }


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{", '{"schema": 2, "jobs": {}}', '{"schema": 1, "jobs": {"1": {}}}'),
        '{"schema": 1, "jobs": {"1": {"at": "2025-03-01T12:00", "resume_by": "2025-03-01T13:00"}}}',
        '{"schema": 1, "jobs": {"1": 5}}',
    ],
)
def test_a_file_that_says_nothing_is_an_error_and_is_never_overwritten(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    with pytest.raises(StoreError, match=r"can't be read"):
        SuspendedJobs(tmp_path).note("17", AT, BY)
    assert (tmp_path / NAME).read_text() == content


def test_a_pause_without_an_end_after_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="after the pause"):
        SuspendedJobs(tmp_path).note("17", AT, AT)


def test_a_pause_that_can_t_be_kept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't be written"):
        SuspendedJobs(tmp_path / "absent").note("17", AT, BY)
