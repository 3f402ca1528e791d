"""The bars that the planner is held to, each with what was measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

OURS = "rolling"
COST, BOUND, GAIN, BEHIND = 1.03, 1.08, 0.95, 1.002
STOPS, SOLVE_S, WEEKS_S, YEAR_S, MEMORY_MIB = 0.2, 1.0, 240.0, 1800.0, 2048.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the measured value against its limit; `least` when the value must be at least that."""

    case: str
    what: str
    value: float | None
    limit: float
    least: bool = False

    @property
    def holds(self) -> bool | None:
        """None when it could not be measured."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.least else self.value <= self.limit


def bars(figures: Mapping[str, Any]) -> list[Bar]:
    """All bars of all cases that were run."""
    found = [bar for case in figures["cases"] for bar in _of_case(case)]
    if "year" in figures and OURS in figures["year"]["policies"]:
        found.append(Bar("synthetic year", "wall on one core [s]", figures["year"]["elapsed_s"], YEAR_S))
    found.append(Bar("all", "memory of a worker [MiB]", figures["worker_memory_mib"], MEMORY_MIB))
    return found


def _of_case(case: Mapping[str, Any]) -> Iterator[Bar]:
    name, rows = case["case"], case["policies"]
    if OURS not in rows:
        return
    mine = rows[OURS]
    if case["kind"] == "battery and peak":
        yield Bar(name, "cost to reachable", mine["to_reachable"], COST)
        yield Bar(name, "cost to bound", mine["to_bound"], BOUND)
        yield Bar(name, "share of the reachable gain", mine["gain_share"], GAIN, least=True)
        yield Bar(name, "cost to best known", mine["to_best_known"], COST)
        yield Bar(name, "share of the best known gain", mine["best_known_share"], GAIN, least=True)
        weeks = float(len(case["weekly_cost"][OURS]))
        yield Bar(name, "weeks ahead of greedy", mine.get("weeks_ahead_of_greedy"), weeks, least=True)
    if case["kind"] == "neither":
        yield Bar(name, "cost to greedy", mine["to_greedy"], BEHIND)
    yield Bar(name, "missed beyond run-now", mine["missed_beyond_run_now"], 0)
    yield Bar(name, "stops per job", mine["stops_per_job"], STOPS)
    yield Bar(name, "work unlike run-now's [GPU h]", _unequal(rows), 0.5)
    yield Bar(name, "run-now's work left undone [GPU h]", mine["undone_gpu_h"], 0.5)
    yield Bar(name, "solve p99 [s]", mine["solve_p99_s"], SOLVE_S)
    yield Bar(name, "wall of the weeks [s]", mine["elapsed_s"], WEEKS_S)


def _unequal(rows: Mapping[str, Mapping[str, Any]]) -> float | None:
    """The largest difference in finished work between any policy and run-now."""
    base = rows.get("run-now", {}).get("work_gpu_h")
    works = [row["work_gpu_h"] for row in rows.values() if row["work_gpu_h"] is not None]
    return None if base is None else max(abs(work - base) for work in works)
