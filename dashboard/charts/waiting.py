"""Jobs that wait, by slack: why, until when, what the plan has in mind, and what a person may do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from igoudar.control.schema import Jobs, JobView, PlannedJob, PlanView, Text
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.tables import Column, Markup, Row, pick, picked_button, table
from igoudar.dashboard.words import NONE, Words

SHOWN = 100  # rows: more is no longer read, and costs every tick
STATES = ("waiting", "held", "suspended")
VERBS = ("approve", "hold", "release")
LONG_SLACK_S = 86400.0  # a full slack bar
_KEYS = ("", "job", "name", "reason", "slack", "planned_start", "racks", "energy", "state")
_SHORT = ("planned_start", "racks", "energy", "state")
_COLUMNS = tuple(Column(key, key in ("racks", "energy"), key in _SHORT) for key in _KEYS)


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """One waiting job: what the plan and the queue know about it."""

    job_id: str
    name: str
    user: str
    gpus: int
    state: str
    slack_s: float | None
    deadline: datetime | None
    energy_wh: float | None
    reason: Text | None
    verbs: tuple[str, ...]
    planned: PlannedJob | None = None


def waiting_jobs(plan: PlanView | None, jobs: Jobs | None) -> list[WaitingJob]:
    """All waiting jobs, the tightest first; one that has begun since the plan was made is left out."""
    views = {view.job_id: view for view in jobs.jobs} if jobs else {}
    planned = {job.job_id: job for job in plan.jobs} if plan else {}
    found = [*_of_plan(planned, views), *_of_queue(planned, views)]
    return sorted(found, key=lambda job: (job.slack_s is None, job.slack_s or 0.0))


def _of_plan(planned: Mapping[str, PlannedJob], views: Mapping[str, JobView]) -> Iterator[WaitingJob]:
    for job in planned.values():
        view = views.get(job.job_id)
        if view is not None and view.state not in STATES:
            continue
        stopped = view if view is not None and view.state != "waiting" else None
        yield WaitingJob(
            job.job_id,
            job.name,
            job.user,
            job.gpus,
            _state(job, view),
            job.slack_s,
            job.deadline,
            job.energy_wh,
            (stopped.reason if stopped else None) or job.reason,
            _verbs(job, view),
            job,
        )


def _of_queue(planned: Mapping[str, PlannedJob], views: Mapping[str, JobView]) -> Iterator[WaitingJob]:
    for view in views.values():
        if view.state in STATES and view.job_id not in planned:
            yield WaitingJob(
                view.job_id,
                view.name,
                view.user,
                view.gpus,
                _state(None, view),
                view.slack_s,
                view.deadline,
                view.energy_wh,
                view.reason,
                _verbs(None, view),
            )


def _state(job: PlannedJob | None, view: JobView | None) -> str:
    if view is not None and view.state != "waiting":
        return view.state
    if job is not None and job.proposed:
        return "proposed"
    return "urgent" if view is not None and not view.flexible else "waiting"


def _verbs(job: PlannedJob | None, view: JobView | None) -> tuple[str, ...]:
    """What a person may do: approve what is proposed, hold what waits, release what is held."""
    state = _state(job, view)
    if state == "held":
        return ("release",)
    if state == "proposed":
        return ("approve", "hold")
    return ("hold",) if state == "waiting" else ()


def waiting_table(plan: PlanView | None, jobs: Jobs | None, words: Words) -> str:
    """The list with its buttons; rows are picked first, then acted on together."""
    if plan is None and jobs is None:
        return empty_panel(words("waiting_jobs"), words)
    now = plan.time if plan else jobs.time if jobs else None
    waiting = waiting_jobs(plan, jobs)
    rows = [Row(_cells(job, now, words), f"is-{job.state}") for job in waiting[:SHOWN]]
    # The queue counts all; it lists only so many.
    total = max(len(waiting), jobs.waiting if jobs else 0)
    count = str(total) if total <= len(rows) else words("first_of", shown=len(rows), total=total)
    hint = f"{count} · {words('pick_hint')}" if any(job.verbs for job in waiting) else count
    buttons = "".join(picked_button(verb, words(f"verb_{verb}")).html for verb in _offered(waiting))
    return table(words("waiting_jobs"), hint, _COLUMNS, rows, words, buttons=Markup(buttons))


def _offered(waiting: Sequence[WaitingJob]) -> list[str]:
    """Approve and hold always stand there; release only where something is held."""
    held = any("release" in job.verbs for job in waiting)
    return [verb for verb in VERBS if verb != "release" or held]


def _cells(job: WaitingJob, now: datetime | None, words: Words) -> list[str | Markup]:
    return [
        pick(job.job_id, job.verbs, words("pick_job", job=job.job_id)) if job.verbs else "",
        job.job_id,
        f"{job.name} · {job.user}" if job.user else job.name,
        words.text(job.reason) or NONE,
        slack_bar(job.slack_s, words),
        _start(job, now, words),
        words.edge(job.planned.racks) if job.planned else NONE,
        words.quantity(job.energy_wh, "wh"),
        words.known("job_state", job.state),
    ]


def _start(job: WaitingJob, now: datetime | None, words: Words) -> str:
    if job.planned is None or now is None:
        return NONE
    if job.planned.start is None:
        return words("beyond_horizon")
    return words.moment(job.planned.start, now)


def slack_bar(slack_s: float | None, words: Words) -> Markup:
    """Slack as a bar of at most one day, with its figure; one that has run out says so in colour."""
    if slack_s is None:
        return Markup(NONE)
    share = min(max(100 * slack_s / LONG_SLACK_S, 0.0), 100.0)
    late = "p2" if slack_s < 0 else ""
    return Markup(
        f'<span class="ig-slack"><i aria-hidden="true"><s style="width:{share:.0f}%"></s></i>'
        f'<b class="{late}">{escape(words.duration(slack_s))}</b></span>'
    )
