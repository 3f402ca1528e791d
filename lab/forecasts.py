"""Forecasts for a period of a backtest, learned from the others and what it has shown so far."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from igoudar.control.planning.forecast.bulletins import Bulletins, corrected, correction
from igoudar.control.planning.forecast.forecaster import learned
from igoudar.control.planning.forecast.history import STEPS_PER_HOUR, Record, hourly_means
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.policy import STEP_S, Forecast
from igoudar.control.planning.table import Floats
from igoudar.control.weather_file import read_bulletins, supply_outlook
from igoudar.lab.inputs import PARQUET, load_inputs
from igoudar.lab.periods import Period
from igoudar.lab.resources import resource_file
from igoudar.lab.scenario import Scenario, changed

Series = dict[str, Floats]
SUPPLY = ("pv", "wind")
Matrix = NDArray[np.float64]


def forecaster_for(
    period: Period,
    others: Sequence[Period],
    scenario: Scenario,
    kind: str,
    bulletins: Path | None = None,
) -> Callable[[int], Forecast]:
    """What `kind` (persistence, climatology, mix, model) expects at each step of `period`.

    Nothing of `period` is learned from but what lies before the step; other periods that replay the same
    jobs teach nothing about arrivals. `bulletins` is a file of weather forecasts, which a model heeds.
    """
    service = supply_outlook(read_bulletins(bulletins)) if bulletins else {}
    taught = {name: [record_of(o, name, scenario, service) for o in others] for name in series_of(period)}
    fresh = [o for o in others if o.jobs.job_id[:1] != period.jobs.job_id[:1]]
    taught["arrivals"] = [record_of(o, "arrivals", scenario, {}) for o in fresh or others]
    corrections = {name: learned_correction(taught[name]) for name in service}
    for name, curve in corrections.items():
        taught[name] = [with_correction(record, curve) for record in taught[name]]
    forecaster = learned(kind, taught, capacities(scenario), held=_held(others))
    own = {name: record_of(period, name, scenario, service) for name in series_of(period)}
    own |= {name: with_correction(own[name], curve) for name, curve in corrections.items()}

    def issue(step: int) -> Forecast:
        return forecaster.issue({name: _seen(record, step) for name, record in own.items()})

    return issue


def teachers(periods: Sequence[Period], index: int, scenario: Scenario) -> list[Period]:
    """The periods that teach about one of them: all others played, or the file's other weeks if it is alone.

    Raises:
        ConfigError: the resource can't be read.
    """
    if len(periods) > 1:
        return [p for number, p in enumerate(periods) if number != index]
    if Path(scenario.resource).suffix == PARQUET:
        return []
    days = pl.read_csv(resource_file(Path(scenario.resource))).height // 24
    whole = changed(scenario, {"days": days})
    return load_inputs(whole).periods(whole)[1:]


def capacities(scenario: Scenario) -> dict[str, float]:
    """Ratings of the farms [W]: what their output stays within."""
    return {"pv": (scenario.pv_mw or 0.0) * 1e6, "wind": (scenario.wind_mw or 0.0) * 1e6}


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


def record_of(period: Period, name: str, scenario: Scenario, service: Mapping[str, Bulletins]) -> Record:
    """One channel of a period, with what a weather service foretold at each of its hours [W]."""
    record = Record(series_of(period)[name], period.start.hour)
    if name not in service:
        return record
    first_h = int(period.start.timestamp()) // 3600
    hours = -(-period.steps // STEPS_PER_HOUR)
    return replace(record, outlook=service[name].over(first_h, hours) * capacities(scenario)[name])


def learned_correction(records: Sequence[Record]) -> Mapping[str, Floats]:
    """How the output follows what is foretold for the present hour."""
    told = [record.outlook[:, 0] for record in records if record.outlook is not None]
    came = [hourly_means(record.steps) for record in records if record.outlook is not None]
    return correction(np.concatenate(told or [np.zeros(0)]), np.concatenate(came or [np.zeros(0)]))


def with_correction(record: Record, curve: Mapping[str, Floats]) -> Record:
    """The record with its outlook corrected."""
    if record.outlook is None:
        return record
    return replace(record, outlook=corrected(curve, record.outlook))


def _seen(record: Record, step: int) -> Seen:
    outlook = None if record.outlook is None else record.outlook[step // STEPS_PER_HOUR]
    return Seen(record.steps, step, record.start_hour, record.month, outlook=outlook)


def _held(periods: Sequence[Period]) -> bool:
    """Whether the supply changes on the full hour only, as in hourly resource files."""
    series = [s[: len(s) // 4 * 4].reshape(-1, 4) for p in periods for s in (p.pv_w, p.wind_w)]
    return all(bool((hours == hours[:, :1]).all()) for hours in series)
