"""Views of a moment, for tests of what a policy does with it."""

from datetime import UTC, datetime

import numpy as np
from tests.control.planning.scenes import LIMITS

from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.table import Fleet, JobTable, Phase


def view(jobs: JobTable, *, step: int = 0, urgent_w: float = 0.0, end_s: float = 0.0) -> View:
    """All jobs wait; no supply; none is to come unless the period goes on until `end_s`."""
    fleet = Fleet.fresh(len(jobs))
    fleet.phase[:] = Phase.WAITING
    return View(
        step=step,
        now_s=step * STEP_S,
        time=datetime(2025, 1, 6, tzinfo=UTC),
        period_end_s=end_s,
        limits=LIMITS,
        jobs=jobs,
        fleet=fleet,
        active=np.arange(len(jobs)),
        pv_w=0.0,
        wind_w=0.0,
        urgent_w=urgent_w,
        pue=1.08,
        soc_wh=0.0,
        peak_import_w=0.0,
    )
