"""What may be done to a job. Pure."""

from collections.abc import Mapping
from datetime import timedelta

from igoudar.collectors.results import Rejected
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.rules import NODE_POWER, VERBS, WHOLE_SITE, Rules
from igoudar.control.actuation.guard.view import View
from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.core.model import JobState

WAITS = (JobState.WAITING, JobState.HELD)
STATES: Mapping[str, tuple[JobState, ...]] = {
    "delay": WAITS,
    "release": WAITS,
    "suspend": (JobState.RUNNING,),
    "resume": (JobState.SUSPENDED,),
    "requeue": (JobState.RUNNING, JobState.SUSPENDED),
}
OURS = (Origin.PLAN, Origin.EVENT)  # asked by no person for this very job


def unfit_job(command: Command, rules: Rules, view: View) -> Rejected | None:
    """Unknown, urgent, in another state, or without the time at which it ends by itself."""
    if command.actuator is not ActuatorClass.JOBS:
        return None
    if command.point not in VERBS:
        return Rejected("unknown_verb")
    if command.point in WHOLE_SITE:
        return None
    if command.point in NODE_POWER:
        return Rejected("people_only") if command.origin in OURS else None
    return _unfit(command, view) or _untimely(command, rules, view)


def _unfit(command: Command, view: View) -> Rejected | None:
    if view.jobs is None:
        return Rejected("no_scheduler")
    job = view.jobs.get(command.target)
    if job is None:
        return Rejected("unknown_job")
    if command.origin in OURS and not _may_move(job, command.point):
        return Rejected("urgent_job")
    return None if job.state in STATES[command.point] else Rejected("wrong_state")


def _may_move(job: QueuedJob, verb: str) -> bool:
    return job.flexible or verb in ("release", "resume")


def _untimely(command: Command, rules: Rules, view: View) -> Rejected | None:
    """A delay has a begin time and a pause a resume-by: both end without us."""
    if command.point not in ("delay", "suspend"):
        return None
    if command.until is None:
        return Rejected("no_end")
    if command.until <= view.now:
        return Rejected("end_past")
    most = timedelta(seconds=rules.guarding.resume_by_max_s)
    if command.point == "suspend" and command.until - view.now > most:
        return Rejected("pause_too_long")
    return None
