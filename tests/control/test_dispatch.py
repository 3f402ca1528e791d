"""Who occupies GPUs: what has stood ends later by as much, and what stands on its own GPUs holds them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.dispatch import margins, occupants, requests
from igoudar.control.planning.latest import latest_starts
from igoudar.control.roster import Roster
from igoudar.core.model import JobState

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GPUS = 64


def job(name: str, state: JobState, hours: float, *, worked_h: float = 0.0, **more: Any) -> QueuedJob:
    """It came nine hours ago, and has begun an hour later if it has worked at all."""
    began = {"started": T0 - 8 * HOUR, "work_done_s": worked_h * 3600.0} if worked_h else {}
    return QueuedJob(name, name, "ada", GPUS, state, True, T0 - 9 * HOUR, hours * 3600.0, **{**began, **more})


def may_wait(lab: Roster, first: QueuedJob, *counted: str) -> bool:
    """Whether a job for all GPUs that is due in eight hours may wait beside another one."""
    behind = job("behind", JobState.WAITING, 1.0, deadline=T0 + 8 * HOUR)
    queue = Queue(T0, GPUS, 0, GPUS, (first, behind))
    running, waiting = occupants(queue, lab.site, None, counted), requests(queue, lab.site, None, set())
    return latest_starts(T0, GPUS, running, waiting, margins(10.0, 0.0))["behind"] > T0


@pytest.mark.parametrize(("worked_h", "waits"), [(8.0, True), (2.0, False)])
def test_a_job_that_stood_for_hours_ends_later_by_as_much(lab: Roster, worked_h: float, waits: bool) -> None:
    assert may_wait(lab, job("first", JobState.RUNNING, 8.0, worked_h=worked_h)) is waits


@pytest.mark.parametrize(("keeps_gpus", "waits"), [(True, False), (False, True)])
def test_who_stands_on_gpus_of_its_own_holds_them(lab: Roster, keeps_gpus: bool, waits: bool) -> None:
    stands = job("first", JobState.SUSPENDED, 8.0, worked_h=2.0, keeps_gpus=keeps_gpus)
    assert may_wait(lab, stands) is waits
    assert may_wait(lab, stands, "first")  # who counts as waiting already holds nothing here
