"""Forecasts for a period of a backtest, learned from the others and what it has shown so far."""

from collections.abc import Callable, Sequence

import numpy as np

from igoudar.control.planning.forecast.forecaster import learned
from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.policy import STEP_S, Forecast
from igoudar.control.planning.table import Floats
from igoudar.lab.periods import Period
from igoudar.lab.scenario import Scenario

Series = dict[str, Floats]


def forecaster_for(
    period: Period, others: Sequence[Period], scenario: Scenario, kind: str
) -> Callable[[int], Forecast]:
    """What `kind` (persistence, climatology, mix, model) expects at each step of `period`.

    Nothing of `period` is learned from but what lies before the step; other periods that replay the same
    jobs teach nothing about arrivals.
    """
    series = series_of(period)
    history = {name: [_record(o, name) for o in others] for name in series}
    fresh = [o for o in others if o.jobs.job_id[:1] != period.jobs.job_id[:1]]
    history["arrivals"] = [_record(o, "arrivals") for o in fresh or others]
    most = {"pv": (scenario.pv_mw or 0.0) * 1e6, "wind": (scenario.wind_mw or 0.0) * 1e6}
    forecaster = learned(kind, history, most, held=True)

    def issue(step: int) -> Forecast:
        seen = {name: Seen(values, step, period.start.hour) for name, values in series.items()}
        return forecaster.issue(seen)

    return issue


def series_of(period: Period) -> Series:
    """A period's channels per 15-min step."""
    return {
        "pv": period.pv_w,
        "wind": period.wind_w,
        "urgent": period.urgent_w,
        "pue": period.pue,
        "arrivals": arrivals_gpu_s(period),
    }


def arrivals_gpu_s(period: Period) -> Floats:
    """Work submitted per step [GPU s], as declared at submission."""
    step = (period.jobs.submitted_s // STEP_S).astype(np.int64)
    work = period.jobs.gpus * period.jobs.expected_s
    return np.asarray(np.bincount(step, work, minlength=period.steps)[: period.steps], dtype=np.float64)


def _record(period: Period, name: str) -> Record:
    return Record(series_of(period)[name], period.start.hour)
