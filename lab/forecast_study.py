"""How good the forecasts are: every week forecast by what the other weeks teach, against the references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from igoudar.control.planning.forecast.bands import banded
from igoudar.control.planning.forecast.forecaster import KINDS, fit_of
from igoudar.control.planning.forecast.history import LEADS, Record, in_weeks
from igoudar.control.planning.table import Floats
from igoudar.control.weather_file import read_bulletins, supply_outlook
from igoudar.core.errors import ConfigError
from igoudar.lab.forecasts import SUPPLY, capacities, learned_correction, record_of, with_correction
from igoudar.lab.inputs import load_inputs
from igoudar.lab.scenario import Scenario

Cube = NDArray[np.float64]
LEVELS = np.array([0.1, 0.5, 0.9])
REFERENCE = "mix"
DAY_H = 24
LEAST_WEEKS = 3
DRAWS = 1000
SEED = 1
HORIZONS = (1, 2, 3, 4, 6, 8, 12, 18, 24, 30, 36, 42, 48)  # what a table on a screen shows


@dataclass(frozen=True, slots=True)
class Scored:
    """Forecasts of one kind for every issue hour of every week, beside what came: issues x leads."""

    truth: Cube
    quantiles: Cube  # issues x leads x (P10, P50, P90)
    day: NDArray[np.int64]  # of each issue hour: what the bootstrap draws

    @property
    def squares(self) -> Cube:
        """Squared errors of P50, 0 where the target lies beyond the week."""
        return np.nan_to_num((self.quantiles[:, :, 1] - self.truth) ** 2)


def study(
    scenario: Scenario, bulletins: Path | None = None, channels: Sequence[str] = SUPPLY
) -> pl.DataFrame:
    """`scores` of a settled scenario's periods, with a file of weather forecasts if there is one.

    Raises:
        ConfigError: a file can't be read, or there are fewer than two periods to learn from.
    """
    periods = load_inputs(scenario).periods(scenario)
    if len(periods) < LEAST_WEEKS:
        what = f"{len(periods)} weeks, and one is left out"
        raise ConfigError(what, where="days", fix=f"study at least {LEAST_WEEKS * 7} days")
    service = supply_outlook(read_bulletins(bulletins)) if bulletins else {}
    records = {name: [record_of(p, name, scenario, service) for p in periods] for name in channels}
    largest = {name: max(float(r.steps.max()) for r in records[name]) for name in channels}
    return scores(records, {**largest, **capacities(scenario)})


def scores(records: Mapping[str, Sequence[Record]], most: Mapping[str, float]) -> pl.DataFrame:
    """Skill, pinball and reliability per channel, kind and horizon (1 to 48 h), leaving one week out in turn.

    `records` has a record per week and channel; `most` the capacity that errors are measured by. Columns:
    channel, kind, lead_h, nrmse, skill (against the best mix, on RMSE), skill_low and skill_high (90 %,
    paired bootstrap over days), pinball (mean of P10, P50 and P90, by capacity), coverage (of P10 to P90),
    below_p50.
    """
    tables = []
    for name, weeks in records.items():
        scored = {kind: _scored(kind, name, weeks, most[name]) for kind in KINDS}
        tables.append(_table(name, scored, most[name]))
    return pl.concat(tables)


def _scored(kind: str, name: str, weeks: Sequence[Record], most: float) -> Scored:
    parts = [_one_week(kind, name, weeks, left_out, most) for left_out in range(len(weeks))]
    truth, quantiles = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
    day = np.concatenate([np.arange(len(p[0])) // DAY_H + 100 * i for i, p in enumerate(parts)])
    return Scored(truth, quantiles, np.unique(day, return_inverse=True)[1])


def _one_week(kind: str, name: str, weeks: Sequence[Record], left_out: int, most: float) -> tuple[Cube, Cube]:
    others = [w for index, w in enumerate(weeks) if index != left_out]
    curve = learned_correction(others)
    others = [with_correction(other, curve) for other in others]
    learned = banded(fit_of(kind, name), in_weeks(others), most)
    (week,) = in_weeks([with_correction(weeks[left_out], curve)])
    rows = [learned.ahead(week.upto(position)) for position in range(len(week.values))]
    return week.targets(), np.array(rows)


def _table(name: str, scored: dict[str, Scored], most: float) -> pl.DataFrame:
    reference = scored[REFERENCE]
    drawn = _draws(int(reference.day.max()) + 1)
    return pl.concat([_rows(name, kind, one, reference, drawn, most) for kind, one in scored.items()])


def _rows(name: str, kind: str, one: Scored, reference: Scored, drawn: Cube, most: float) -> pl.DataFrame:
    ours, theirs = (_by_day(s) for s in (one, reference))
    known = ~np.isnan(one.truth)
    skill = 1.0 - np.sqrt(ours.sum(axis=0) / theirs.sum(axis=0))
    low, high = np.quantile(1.0 - np.sqrt((drawn @ ours) / (drawn @ theirs)), (0.05, 0.95), axis=0)
    columns = {
        "lead_h": np.arange(1, LEADS),
        "nrmse": np.sqrt(ours.sum(axis=0) / known[:, 1:].sum(axis=0)) / most,
        "skill": skill,
        "skill_low": low,
        "skill_high": high,
        **_reliability(one, most),
    }
    first = [pl.lit(name).alias("channel"), pl.lit(kind).alias("kind")]
    return pl.DataFrame(columns).select(*first, pl.all())


def _by_day(scored: Scored) -> Cube:
    """Sums of squared errors: days x leads 1 to 48."""
    sums = np.zeros((int(scored.day.max()) + 1, LEADS - 1))
    np.add.at(sums, scored.day, scored.squares[:, 1:])
    return sums


def _draws(days: int) -> Cube:
    """How often each day is drawn: DRAWS x days."""
    return np.random.default_rng(SEED).multinomial(days, np.full(days, 1.0 / days), DRAWS).astype(float)


def _reliability(one: Scored, most: float) -> dict[str, Floats]:
    """Pinball loss and coverage per lead; where P10 = P90 (night) nothing is there to cover."""
    truth, rows = one.truth[:, 1:, None], one.quantiles[:, 1:]
    off = truth - rows
    pinball = np.where(off >= 0, off * LEVELS, off * (LEVELS - 1.0))
    asked = ~np.isnan(truth[:, :, 0]) & (rows[:, :, 2] - rows[:, :, 0] > 1e-6 * most)
    inside = asked & (truth[:, :, 0] >= rows[:, :, 0]) & (truth[:, :, 0] <= rows[:, :, 2])
    below = asked & (truth[:, :, 0] < rows[:, :, 1])
    return {
        "pinball": np.nanmean(pinball, axis=(0, 2)) / most,
        "coverage": inside.sum(axis=0) / np.maximum(1, asked.sum(axis=0)),
        "below_p50": below.sum(axis=0) / np.maximum(1, asked.sum(axis=0)),
    }
