"""What the meters and the queue tell of the last two days, in 15-min steps; NaN where nothing was read."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np

from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.ledger import IMPORT, Books, Ledger
from igoudar.control.planner.frame import Used
from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.table import Floats
from igoudar.control.windows import floor_quarter

DEPTH_H = 48
DAY_S = 86_400.0
Stop = tuple[str, datetime, datetime]  # job, since when and until when it stood
LEAST_S = 6 * 3600.0  # a site's first hours say little about what a day brings


def seen(
    ledger: Ledger,
    books: Books,
    queue: Queue,
    view: View,
    stopped: Sequence[Stop] = (),
    left: Callable[[Floats], Floats] = lambda edges: np.ones(len(edges) - 1),
) -> dict[str, Record]:
    """Each channel up to the present step, which is the last.

    `stopped`: when which job stood. `left`: what caps left of the flexible power, per step between edges.
    """
    edges, start = _edges(view.time)
    facility, it = _power_w(ledger, books, "transformer", edges), _power_w(ledger, books, "it", edges)
    flexible = _flexible_gpus(queue.jobs, edges, stopped) * left(edges) * view.limits.gpu_w
    with np.errstate(divide="ignore", invalid="ignore"):
        pue = np.where(it > 0, facility / it, np.nan)
    columns = {
        "pv": (_power_w(ledger, books, "pv", edges), view.pv_w),
        "wind": (_power_w(ledger, books, "wind", edges), view.wind_w),
        "urgent": (np.maximum(0.0, it - flexible), view.urgent_w),
        "pue": (np.maximum(1.0, pue), view.pue),
        "arrivals": (np.zeros(len(edges) - 1), 0.0),
    }
    return {
        name: Record(np.append(steps, present), start.hour, start.month)
        for name, (steps, present) in columns.items()
    }


def used(ledger: Ledger, books: Books, now: datetime) -> Used:
    """Counted since midnight, UTC, and the week's highest import as far as the ledger reaches."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=now.weekday())
    edges, _ = _edges(now)
    imported = _power_w(ledger, books, "grid", edges)[edges[:-1] >= monday.timestamp()]
    return Used(
        _counted_wh(ledger, books, "desalination", midnight, now),
        _counted_wh(ledger, books, "electrolyser", midnight, now),
        float(np.nanmax(imported)) if np.isfinite(imported).any() else 0.0,
        _unread_h(ledger, books, midnight, now),
    )


def arrivals_gpu_s(queue: Queue, now: datetime, since: datetime | None) -> float:
    """Flexible work that comes in a step, by the last day's mean [GPU s]."""
    known_s = min(DAY_S, max(LEAST_S, (now - since).total_seconds() if since else 0.0))
    begin = now - timedelta(seconds=known_s)
    work = sum(job.gpus * job.expected_s for job in queue.jobs if job.flexible and job.submitted >= begin)
    return work * STEP_S / known_s


def _edges(now: datetime) -> tuple[Floats, datetime]:
    """Edges of the steps [POSIX s] from a full hour two days ago to the present step's start."""
    end = floor_quarter(now)
    start = end.replace(minute=0) - timedelta(hours=DEPTH_H)
    return np.arange(start.timestamp(), end.timestamp() + 1.0, STEP_S), start


def _power_w(ledger: Ledger, books: Books, role: str, edges: Floats) -> Floats:
    series = books.of(role, IMPORT)
    power: Floats = ledger.energies_wh(series, edges) * 3600.0 / STEP_S
    return power


def _unread_h(ledger: Ledger, books: Books, midnight: datetime, now: datetime) -> float:
    """Hours of today before the flexible loads were first read."""
    span = ledger.span((*books.of("desalination"), *books.of("electrolyser")))
    return max(0.0, ((span[0] if span else now) - midnight).total_seconds() / 3600.0)


def _counted_wh(ledger: Ledger, books: Books, role: str, start: datetime, end: datetime) -> float:
    """Energy since `start` as far as it is known [Wh]."""
    series = books.of(role, IMPORT)
    span = ledger.span(series)
    if span is None or span[1] <= start:
        return 0.0
    edges = np.array([max(start, span[0]).timestamp(), min(end, span[1]).timestamp()])
    energy_wh = float(ledger.energies_wh(series, edges)[0])
    return energy_wh if np.isfinite(energy_wh) else 0.0


def _flexible_gpus(jobs: Sequence[QueuedJob], edges: Floats, stopped: Sequence[Stop]) -> Floats:
    """Mean GPUs of flexible jobs per step, from when they ran (the last day; before, none is known)."""
    busy = np.zeros(len(edges) - 1)
    for job in jobs:
        if not job.flexible or job.started is None:
            continue
        end_s = job.finished.timestamp() if job.finished else float(edges[-1])
        busy += job.gpus * _inside_s(job.started.timestamp(), end_s, edges) / STEP_S
    gpus = {job.job_id: job.gpus for job in jobs if job.flexible and job.started is not None}
    for job_id, start, end in stopped:
        busy -= gpus.get(job_id, 0) * _inside_s(start.timestamp(), end.timestamp(), edges) / STEP_S
    return busy


def _inside_s(start_s: float, end_s: float, edges: Floats) -> Floats:
    """Of each step the part between two times [s]."""
    inside: Floats = np.clip(np.minimum(end_s, edges[1:]) - np.maximum(start_s, edges[:-1]), 0.0, STEP_S)
    return inside
