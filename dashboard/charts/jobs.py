"""Jobs waiting by slack, and jobs running, with their reasons."""

from collections.abc import Sequence
from datetime import datetime

from igoudar.control.schema import Jobs, JobView
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.tables import Column, Markup, Row, button, table
from igoudar.dashboard.words import NONE, Words

SHOWN = 100  # rows per list: more is no longer read, and costs every tick
WAITING, RUNNING = ("waiting", "held", "suspended"), ("running",)
LONG_SLACK_S = 86400.0  # a full slack bar

_COLUMNS = {
    "waiting": ("job", "name", "reason", "slack", "deadline", "gpus", "energy", "state", "action"),
    "running": ("job", "name", "reason", "slack", "deadline", "gpus", "power", "started", "action"),
}
_FIGURES = frozenset({"gpus", "energy", "power"})


def job_parts(jobs: Jobs | None, words: Words) -> list[tuple[str, str]]:
    """The two lists."""
    if jobs is None:
        titles = (words("waiting_jobs"), words("running_jobs"))
        return [(title, empty_panel(title, words)) for title in titles]
    waiting = sorted(_in(jobs, WAITING), key=lambda job: (job.slack_s is None, job.slack_s or 0.0))
    running = sorted(_in(jobs, RUNNING), key=lambda job: job.started or job.submitted, reverse=True)
    return [
        ("waiting", _list("waiting", waiting, jobs.waiting, jobs.time, words)),
        ("running", _list("running", running, jobs.running, jobs.time, words)),
    ]


def can_act(job: JobView) -> str | None:
    """What a person may do with a job: hold it, release it, or nothing."""
    if not job.flexible:
        return None
    return {"waiting": "hold", "held": "release"}.get(job.state)


def _in(jobs: Jobs, states: Sequence[str]) -> list[JobView]:
    return [job for job in jobs.jobs if job.state in states]


def _list(kind: str, jobs: Sequence[JobView], total: int, now: datetime, words: Words) -> str:
    keys = _COLUMNS[kind]
    columns = [Column("" if key == "action" else key, key in _FIGURES) for key in keys]
    rows = [Row([_cell(key, job, now, words) for key in keys]) for job in jobs[:SHOWN]]
    count = str(total) if total <= len(rows) else words("first_of", shown=len(rows), total=total)
    return table(words(f"{kind}_jobs"), count, columns, rows, words)


def _cell(key: str, job: JobView, now: datetime, words: Words) -> str | Markup:
    match key:
        case "job":
            return job.job_id
        case "name":
            return f"{job.name} · {job.user}" if job.user else job.name
        case "reason":
            return words.text(job.reason) or NONE
        case "slack":
            return _slack(job, words)
        case "action":
            return _action(job, words)
        case "state":
            return words.known("job_state", job.state)
    return _figure(key, job, now, words)


def _figure(key: str, job: JobView, now: datetime, words: Words) -> str:
    match key:
        case "gpus":
            return str(job.gpus)
        case "energy":
            return words.quantity(job.energy_wh, "wh")
        case "power":
            return words.quantity(job.power_w, "w")
        case "started":
            return words.moment(job.started, now)
    return words.moment(job.deadline, now)


def _slack(job: JobView, words: Words) -> Markup:
    if job.slack_s is None:
        return Markup(NONE)
    share = min(max(100 * job.slack_s / LONG_SLACK_S, 0.0), 100.0)
    late = "p2" if job.slack_s < 0 else ""
    return Markup(
        f'<span class="ig-slack"><i aria-hidden="true"><s style="width:{share:.0f}%"></s></i>'
        f'<b class="{late}">{words.duration(job.slack_s)}</b></span>'
    )


def _action(job: JobView, words: Words) -> str | Markup:
    verb = can_act(job)
    if verb is None:
        return ""
    return button(
        f"{verb}:{job.job_id}", words(f"verb_{verb}"), spoken=f"{words(f'verb_{verb}')} {job.job_id}"
    )
