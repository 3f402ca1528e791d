"""The fixed list of commands: nothing else gets through, whatever it is called."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.actuation.schedulers.slurm import verbs
from igoudar.core.errors import CommandError

AT = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=1)))
HOSTILE = (
    *("", "0", "1;reboot", "1 2", "1,2", "all", "-1", "1_", "1_[", "1_[1-2", "$(id)", "1\n2", "１", "1+x"),
    *("JobName=x", "1_[1-2] Priority=0", "--help", "1_4294967295000"),
)


@pytest.mark.parametrize("job", ["1", "4294967293", "12_3", "12_[0-4,7,9-15:2]", "12+1"])
def test_jobs_are_called_as_slurm_calls_them(job: str) -> None:
    assert verbs.suspend(job).words == ("scontrol", "suspend", job)


@pytest.mark.parametrize("job", HOSTILE)
def test_nothing_but_a_job_is_ever_asked_for(job: str) -> None:
    for verb in (verbs.suspend, verbs.resume, verbs.requeue):
        with pytest.raises(CommandError):
            verb(job)
    with pytest.raises(CommandError):
        verbs.suspend("1", job)
    with pytest.raises(CommandError):
        verbs.begin(AT, None, job)


@given(st.text())
def test_a_word_of_a_command_never_begins_with_a_dash_or_has_a_space(text: str) -> None:
    for build in (verbs.suspend, lambda text: verbs.mark(text, "1"), lambda node: verbs.power(node, up=True)):
        try:
            words = build(text).words
        except CommandError:
            continue
        assert not any(set(word) & set(" \t\n\"'\\;|&$`") or word.startswith("-") for word in words)


def test_times_are_utc_whatever_zone_they_come_in() -> None:
    words = verbs.begin(AT, "igoudar:at=1", "7", "8_2").words
    assert words == (
        "scontrol",
        "update",
        "JobId=7,8_2",
        "StartTime=2026-03-01T11:00:00",
        "AdminComment=igoudar:at=1",
    )
    assert verbs.begin(None, None, "7").words[-1] == "StartTime=now"


def test_a_budget_names_its_reservation_licence_end_and_owner() -> None:
    end = datetime(2026, 3, 1, 12, 15, tzinfo=UTC)
    words = verbs.reserve("watts", 20000, end, "slurm").words
    assert {
        "Flags=LICENSE_ONLY",
        "Users=slurm",
        "Licenses=watts:20000",
        "EndTime=2026-03-01T12:15:00",
    } <= set(words)
    with pytest.raises(CommandError):
        verbs.renew("watts:1 Nodes=ALL", 1, end)
    with pytest.raises(CommandError):
        verbs.renew("watts", -1, end)


def test_no_verb_cancels_holds_or_signals() -> None:
    words = Path(verbs.__file__).read_text().split('"""')[2]
    assert not any(
        word in words for word in ("scancel", '"hold"', "uhold", "Priority", "signal", "FORCE", "shell")
    )
