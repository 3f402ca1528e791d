"""Jobs as an operator sees them: waiting by slack with a reason, then running."""

from datetime import datetime

from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.control.dispatch import job_power_w
from igoudar.control.planning.requests import Verb
from igoudar.control.scene import Scene
from igoudar.control.schema import Jobs, JobView, Text
from igoudar.control.text import text
from igoudar.core.model import JobState

WAITING = (JobState.WAITING, JobState.HELD)


def jobs(scene: Scene) -> Jobs:
    """All jobs that the scheduler shows: waiting, running, then the rest."""
    listed = scene.queue.jobs if scene.queue else ()
    order = {JobState.WAITING: 0, JobState.HELD: 0, JobState.SUSPENDED: 1, JobState.RUNNING: 2}
    views = [(order.get(job.state, 3), job_view(scene, job)) for job in listed]
    views.sort(key=lambda pair: (pair[0], pair[1].slack_s is None, pair[1].slack_s or 0.0, pair[1].job_id))
    return Jobs(
        time=scene.now,
        waiting=sum(job.state in WAITING for job in listed),
        running=sum(job.state is JobState.RUNNING for job in listed),
        finished=sum(job.state is JobState.FINISHED for job in listed),
        jobs=[view for _, view in views],
    )


def job_view(scene: Scene, job: QueuedJob) -> JobView:
    """One job with its slack, estimated power and the reason for what it does."""
    power_w = job_power_w(job, scene.roster.site, scene.pue.value)
    return JobView.model_validate(
        {
            "job_id": job.job_id,
            "name": job.name,
            "user": job.user,
            "gpus": job.gpus,
            "state": job.state.value,
            "flexible": job.flexible,
            "submitted": job.submitted,
            "expected_s": job.expected_s,
            "started": job.started,
            "finished": job.finished,
            "deadline": job.deadline,
            "slack_s": slack_s(job, scene.now),
            "power_w": power_w,
            "energy_wh": power_w * job.expected_s / 3600,
            "reason": _reason(scene, job),
        }
    )


def slack_s(job: QueuedJob, now: datetime) -> float | None:
    """Time to spare before the deadline if the job ran from now on, as expected [s]."""
    if job.deadline is None or job.state in (JobState.FINISHED, JobState.REJECTED):
        return None
    left_s = max(0.0, job.expected_s - job.work_done_s)
    return (job.deadline - now).total_seconds() - left_s


def _reason(scene: Scene, job: QueuedJob) -> Text | None:
    verb = scene.overrides.get(job.job_id)
    if verb and job.state is not JobState.FINISHED:
        return text(f"control.override_{verb}", scene.zone, until=job.begin_at)
    if job.job_id in scene.paused:
        pause, power_w = scene.paused[job.job_id], job_power_w(job, scene.roster.site, scene.pue.value)
        return text("control.paused", scene.zone, since=pause.at, until=pause.resume_by, power_w=power_w)
    decision = scene.decisions.get(job.job_id)
    if decision and decision.verb is not Verb.PAUSE:  # until it stands, it runs
        return text(decision.code, scene.zone, **decision.params)
    if job.blocked:
        return text(f"control.blocked_{job.blocked}")
    if job.state in WAITING and not job.flexible:
        return text("control.urgent")
    return None
