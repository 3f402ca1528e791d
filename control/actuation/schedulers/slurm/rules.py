"""Which job may be touched, and how: asked before any command is built. Pure; wall times [POSIX s]."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from igoudar.control.actuation.schedulers import RefusedError
from igoudar.control.actuation.schedulers.slurm.jobs import SlurmJob
from igoudar.control.actuation.schedulers.slurm.marks import Mark
from igoudar.core.model_scheduler import Scheduling

REQUEUE = "igoudar:requeue"
DEADLINE = "igoudar:deadline="

_BETWEEN = re.compile(r"[\s,;]+")


def words(comment: str) -> frozenset[str]:
    """A user's comment as words."""
    return frozenset(_BETWEEN.split(comment))


def flexible(job: SlurmJob, rules: Scheduling) -> bool:
    """Whether the site file lets this job be moved; one that may start elsewhere as well is urgent."""
    said = words(job.comment)
    if rules.urgent_comment in said or not job.gpus:
        return False
    return (
        rules.flexible_comment in said
        or rules.flexible_partitions >= set(job.partitions)
        or job.qos in rules.flexible_qos
    )


def deadline_s(job: SlurmJob) -> float | None:
    """By when it must be done: sbatch's --deadline, or a word `igoudar:deadline=TIME` of its comment."""
    known = [job.deadline_s] if job.deadline_s else []
    for word in words(job.comment):
        if word.startswith(DEADLINE):
            known += _instant(word.removeprefix(DEADLINE))
    return min(known, default=None)


def blocked(job: SlurmJob, mark: Mark, now_s: float) -> str:
    """What a waiting job waits for that is not ours to give: hold, dependency, begin; "" = nothing."""
    if not job.pending:
        return ""
    if job.held:
        return "hold"
    if job.reason.startswith("Dependency"):
        return "dependency"
    ours = mark.delayed(job.begin_s)
    return "begin" if not ours and job.begin_s is not None and job.begin_s > now_s else ""


def check_begin(job: SlurmJob, rules: Scheduling, begin_s: float) -> None:
    """Whether the begin time of a job may be set to this.

    Slurm itself cancels a waiting job that can no longer end by its --deadline: a begin time that would
    bring this about is refused.

    Raises:
        RefusedError: with the reason.
    """
    _ours(job, rules)
    if not job.pending:
        raise _refused(job, "not_waiting", f"it does not wait ({_state(job)})")
    if job.held:
        raise _refused(job, "held", "its user or an administrator holds it")
    if job.deadline_s and begin_s + (job.limit_s or 0.0) > job.deadline_s:
        raise _refused(
            job, "deadline", "begun then it could not end by its deadline, and Slurm would cancel it"
        )


def check_release(job: SlurmJob, mark: Mark, now_s: float) -> None:
    """Whether a begin time that is still ahead may be taken back: only one that we set.

    Raises:
        RefusedError: with the reason.
    """
    if blocked(job, mark, now_s) == "begin":
        raise _refused(job, "begin", "that begin time is not ours to change")


def check_suspend(job: SlurmJob, rules: Scheduling) -> None:
    """Whether a job may be stopped where it stands.

    Raises:
        RefusedError: with the reason.
    """
    _ours(job, rules)
    if not job.running:
        raise _refused(job, "not_running", f"it does not run ({_state(job)})")


def check_resume(job: SlurmJob, rules: Scheduling, mark: Mark) -> None:
    """Whether a job may go on; what we stopped may, though it is no longer flexible.

    Raises:
        RefusedError: with the reason.
    """
    if not mark.suspended:
        _ours(job, rules)
    if not job.suspended:
        raise _refused(job, "not_suspended", f"it is not suspended ({_state(job)})")


def check_requeue(job: SlurmJob, rules: Scheduling) -> None:
    """Whether a job may be queued again from its beginning: only by its own consent.

    Raises:
        RefusedError: with the reason.
    """
    _ours(job, rules)
    if REQUEUE not in words(job.comment):
        raise _refused(job, "not_opted_in", f"its comment does not say {REQUEUE}")
    if not job.requeue:
        raise _refused(job, "not_opted_in", "it was submitted with --no-requeue")
    if not job.running:
        raise _refused(job, "not_running", f"it does not run ({_state(job)})")


def watts(job: SlurmJob, rules: Scheduling) -> int:
    """How much of the site's power budget it asks for (one task of an array) [W]; 0 = it is not under it."""
    for licence in _BETWEEN.split(job.licences):
        name, _, count = licence.partition(":")
        if name and name == rules.watts_licence:
            return int(count) if count.isdecimal() else 1
    return 0


def check_budget(jobs: Iterable[SlurmJob], rules: Scheduling) -> None:
    """Whether watts may be taken away: not where urgent jobs ask for them, which would then wait as well.

    Raises:
        RefusedError: with the reason.
    """
    for job in jobs:
        if not job.over and watts(job, rules) and not flexible(job, rules):
            what = f"it is urgent and asks for {rules.watts_licence}: a budget would keep it waiting"
            raise _refused(job, "urgent_watts", what)


def _ours(job: SlurmJob, rules: Scheduling) -> None:
    if job.over:
        raise _refused(job, "ended", f"it has ended ({_state(job)})")
    if not flexible(job, rules):
        raise _refused(job, "not_flexible", "it is not flexible by the rules of the site file")


def _refused(job: SlurmJob, reason: str, what: str) -> RefusedError:
    return RefusedError(reason, what, where=f"job {job.job_id}")


def _state(job: SlurmJob) -> str:
    return "+".join(sorted(job.states))[:60]


def _instant(text: str) -> list[float]:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return []
    return [(at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()]
