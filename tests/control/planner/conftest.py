from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.picture import Powers
from igoudar.control.planner.ask import Ask
from igoudar.control.planner.frame import Used, ours, view
from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.requests import Margins
from igoudar.core.model import JobState, Site

NOW = datetime(2026, 3, 4, 10, 5, tzinfo=UTC)
GPUS = 512


def job(
    name: str, *, gpus: int = 8, hours: float = 2.0, due_h: float | None = 20.0, **more: Any
) -> QueuedJob:
    deadline = NOW + timedelta(hours=due_h) if due_h is not None else None
    known: dict[str, Any] = {
        "state": JobState.WAITING,
        "flexible": True,
        "submitted": NOW - timedelta(hours=1),
        "expected_s": hours * 3600,
        "deadline": deadline,
    }
    return QueuedJob(name, name, "ada", gpus, **{**known, **more})


def powers(pv_w: float = 400e3, wind_w: float = 300e3, it_w: float = 500e3) -> Powers:
    return Powers(pv_w, wind_w, 0.0, 0.0, it_w * 1.1, it_w, 20e3, 30e3, NOW)


@pytest.fixture
def site(lab: Any) -> Site:
    found: Site = lab.site
    return found


@pytest.fixture
def ask_of(site: Site) -> Callable[..., Ask]:
    """A question about jobs, with two days of a sun that rises and a steady wind."""

    def make(*jobs: QueuedJob, plant: Powers | None = None, soc_pct: float = 50.0) -> Ask:
        queue = Queue(NOW, GPUS, GPUS, GPUS, tuple(jobs))
        known = plant or powers()
        found, notes = view(
            NOW, site, queue, ours(queue, ()), known, 1.1, soc_pct, Used(100e3, 150e3), Margins()
        )
        hours = np.arange(193) / 4.0 + 10.0
        sun = 500e3 * np.maximum(0.0, np.sin(2 * np.pi * (hours - 7.0) / 24.0))
        steady = {"wind": found.wind_w, "urgent": found.urgent_w, "pue": 1.1, "arrivals": 0.0}
        seen = {"pv": Record(np.append(sun[:-1], found.pv_w), 10)}
        seen |= {name: Record(np.full(193, value), 10) for name, value in steady.items()}
        most = {"pv": site.solar.ac_w, "wind": site.wind.ac_w, "urgent": site.it_w}
        return Ask(found, most, seen, 0.0, notes)

    return make
