"""How much PV, wind and battery an hourly match takes, at the least yearly cost.

First a search over PV shares and battery sizes with the load as run-now leaves it, then the chosen mix is
scaled down by playing the policy itself, since shifted jobs need less.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from igoudar.control.planning.table import Floats
from igoudar.lab.backtest import Progress, backtest
from igoudar.lab.inputs import load_inputs
from igoudar.lab.match import Profiles, Sizes, match_of_sizes, match_of_tables
from igoudar.lab.resources import ResourcePeriod
from igoudar.lab.scenario import Scenario, changed
from igoudar.lab.summary import CONSUMERS, Tariff

MOST = 40.0  # times the mean load in generation: beyond it no answer is looked for
BATTERY_H = 4.0  # energy over power, as in the reference scenario
SHARES = tuple(np.linspace(0.0, 1.0, 11))
STORED_H = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # of the mean load
ROUNDS, HALVINGS, PLAYS = 2, 18, 5
EXACT = 5e-7  # a match this close to its target has reached it

# Source: PtX-BOA, MAR-DAK, 2030 medium: CAPEX and OPEX-F [USD2025/kW], WACC.
# Battery and lifetimes: our assumption.
CAPEX = {"pv": 572.3, "wind": 1073.7}
OPEX = {"pv": 9.73, "wind": 30.06}
WACC = 0.0747
BATTERY_USD_PER_KWH, LIFE_YEARS, BATTERY_YEARS = 250.0, 25, 15


@dataclass(frozen=True, slots=True)
class Mix:
    """A share of PV in the generation, a battery in hours of mean load, and generation over mean load."""

    share: float
    stored_h: float
    scale: float

    def sizes(self, load_w: float) -> dict[str, float]:
        """As a scenario's settings [MW, MWh]."""
        generation_mw, battery_mwh = self.scale * load_w / 1e6, self.stored_h * load_w / 1e6
        return {
            "pv_mw": generation_mw * self.share,
            "wind_mw": generation_mw * (1.0 - self.share),
            "battery_mwh": battery_mwh,
            "battery_mw": battery_mwh / BATTERY_H,
        }


def sizes(
    scenario: Scenario,
    targets: Sequence[float],
    out: Path,
    *,
    workers: int = 2,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """An answer per target, for the first policy of a settled scenario.

    Raises:
        ConfigError: a bad input, or a folder that holds another study.
    """
    played = _Played(scenario, out, workers, progress)
    profiles = played.profiles()
    answers = [_answer(played, profiles, target) for target in targets]
    found = {
        "policy": scenario.policies[0],
        "mean_load_mw": profiles.mean_load_w / 1e6,
        "battery_usd_per_kwh": BATTERY_USD_PER_KWH,
        "answers": answers,
    }
    (out / "size.json").write_text(json.dumps(found, indent=1))
    return found


@dataclass(frozen=True, slots=True)
class _Played:
    """The policy on trial sizes, each in a folder of its own so that a study goes on where it stopped."""

    scenario: Scenario
    out: Path
    workers: int
    progress: Progress | None

    def table(self, name: str, policy: str, **given: Any) -> tuple[pl.DataFrame, Tariff]:
        setting = changed(self.scenario, {**given, "policies": (policy,)})
        folder = self.out / name
        backtest(setting, folder, workers=self.workers, progress=self.progress)
        tariff = Tariff.of(json.loads((folder / "settings.json").read_text()))
        return pl.read_parquet(folder / policy / "site.parquet"), tariff

    def match(self, target: float, mix: Mix, load_w: float) -> float:
        given = {key: round(value, 3) for key, value in mix.sizes(load_w).items()}
        name = "-".join(f"{value:g}" for value in given.values())
        table, tariff = self.table(f"{100 * target:g}/{name}", self.scenario.policies[0], **given)
        return match_of_tables(table, tariff)

    def profiles(self) -> Profiles:
        """The load of run-now, which no supply changes, beside the supply's shapes."""
        table, tariff = self.table("load", "run-now")
        load_w = table.select(pl.sum_horizontal(CONSUMERS)).to_series().to_numpy()
        parts = np.split(load_w, np.cumsum(tariff.period_steps)[:-1])
        resource = load_inputs(self.scenario).resource
        return _side_by_side(parts, resource, np.array(tariff.weights))


def _side_by_side(load: Sequence[Floats], resource: Sequence[ResourcePeriod], weights: Floats) -> Profiles:
    most = max(len(part) for part in load)

    def stacked(parts: Sequence[Floats]) -> Floats:
        return np.stack([np.pad(part, (0, most - len(part))) for part in parts])

    pv, wind = stacked([r.pv_ratio for r in resource]), stacked([r.wind_ratio for r in resource])
    return Profiles(stacked(load), pv, wind, weights)


def _answer(played: _Played, profiles: Profiles, target: float) -> dict[str, Any]:
    efficiency, load_w = played.scenario.efficiency, profiles.mean_load_w
    best, most = cheapest(profiles, target, efficiency)
    if best is None:
        return {"target": target, "reached": None, "best": most, "most_times_load": MOST}
    small, match = _scaled_down(played, best, target, load_w)
    told = small.sizes(load_w)
    unshifted = best.sizes(load_w)
    return {"target": target, "reached": match, **told, **costs(told), "with_run_now": unshifted}


def cheapest(profiles: Profiles, target: float, efficiency: float) -> tuple[Mix | None, float]:
    """The mix of least yearly cost that reaches the target, None if none does; and the best match seen."""
    grid, best, seen = list(product(SHARES, STORED_H)), None, 0.0
    for _ in range(ROUNDS + 1):
        mixes, most = _scales(profiles, grid, target, efficiency)
        seen = max(seen, most)
        ranked = sorted(mixes, key=lambda mix: costs(mix.sizes(profiles.mean_load_w))["usd_per_year"])
        if not ranked:
            break
        best, grid = ranked[0], list(_around(ranked[0], grid))
    return best, seen


def _around(mix: Mix, grid: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """A finer grid between the neighbours of a mix."""
    shares, stored = (sorted({point[axis] for point in grid}) for axis in (0, 1))
    yield from product(_between(shares, mix.share), _between(stored, mix.stored_h))


def _between(values: Sequence[float], at: float) -> list[float]:
    index = values.index(at)
    low, high = values[max(0, index - 1)], values[min(len(values) - 1, index + 1)]
    return sorted({*np.linspace(low, at, 4).tolist(), *np.linspace(at, high, 4).tolist()})


def _scales(
    profiles: Profiles, grid: Sequence[tuple[float, float]], target: float, efficiency: float
) -> tuple[list[Mix], float]:
    """The least generation for each point of the grid that reaches the target, all halved at once."""
    share, stored_h = (np.array(axis) for axis in zip(*grid, strict=True))
    low, high = np.zeros(len(grid)), np.full(len(grid), MOST)

    def match(scale: Floats) -> Floats:
        load_w = profiles.mean_load_w
        stored = stored_h * load_w
        generation = scale * load_w
        sized = Sizes(generation * share, generation * (1 - share), stored, stored / BATTERY_H)
        return match_of_sizes(profiles, sized, efficiency)

    at_most = match(high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = match(middle) >= target - EXACT
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    reached = at_most >= target - EXACT
    mixes = [
        Mix(*point, float(scale)) for point, scale, fine in zip(grid, high, reached, strict=True) if fine
    ]
    return mixes, float(at_most.max())


def _scaled_down(played: _Played, mix: Mix, target: float, load_w: float) -> tuple[Mix, float]:
    """The smallest common factor on generation and battery at which the policy itself reaches the target."""

    def at(factor: float) -> Mix:
        return Mix(mix.share, mix.stored_h * factor, mix.scale * factor)

    low, high = 0.5, 1.0
    reached = played.match(target, at(high), load_w)
    while reached < target - EXACT and high < 2.0:
        low, high = high, high * 1.25
        reached = played.match(target, at(high), load_w)
    for _ in range(PLAYS):
        middle = (low + high) / 2
        match = played.match(target, at(middle), load_w)
        if match >= target - EXACT:
            high, reached = middle, match
        else:
            low = middle
    return at(high), reached


def costs(told: dict[str, float]) -> dict[str, float]:
    """Capital and yearly cost [USD] of sizes in MW and MWh."""
    pv, wind = (CAPEX[kind] * told[f"{kind}_mw"] * 1e3 for kind in ("pv", "wind"))
    battery = BATTERY_USD_PER_KWH * told["battery_mwh"] * 1e3
    fixed = sum(OPEX[kind] * told[f"{kind}_mw"] * 1e3 for kind in ("pv", "wind"))
    yearly = (pv + wind) * _annuity(LIFE_YEARS) + battery * _annuity(BATTERY_YEARS) + fixed
    return {"capital_usd": pv + wind + battery, "usd_per_year": yearly}


def _annuity(years: int) -> float:
    return float(WACC / (1.0 - (1.0 + WACC) ** -years))
