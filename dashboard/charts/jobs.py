"""Jobs that run, with their reasons."""

from collections.abc import Sequence
from datetime import datetime

from igoudar.control.schema import Jobs, JobView
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.tables import Column, Markup, Row, table
from igoudar.dashboard.charts.waiting import SHOWN, slack_bar
from igoudar.dashboard.words import NONE, Words

_KEYS = ("job", "name", "reason", "slack", "deadline", "gpus", "power", "started")
_SHORT = ("deadline", "gpus", "power", "started")
_COLUMNS = tuple(Column(key, key in ("gpus", "power"), key in _SHORT) for key in _KEYS)


def running_table(jobs: Jobs | None, words: Words) -> str:
    """Running jobs, the newest first."""
    title = words("running_jobs")
    if jobs is None:
        return empty_panel(title, words)
    running = [job for job in jobs.jobs if job.state == "running"]
    running.sort(key=lambda job: job.started or job.submitted, reverse=True)
    rows = [Row(_cells(job, jobs.time, words)) for job in running[:SHOWN]]
    total = jobs.running
    count = str(total) if total <= len(rows) else words("first_of", shown=len(rows), total=total)
    return table(title, count, _COLUMNS, rows, words)


def _cells(job: JobView, now: datetime, words: Words) -> Sequence[str | Markup]:
    return (
        job.job_id,
        f"{job.name} · {job.user}" if job.user else job.name,
        words.text(job.reason) or NONE,
        slack_bar(job.slack_s, words),
        words.moment(job.deadline, now),
        str(job.gpus),
        words.quantity(job.power_w, "w"),
        words.moment(job.started, now),
    )
