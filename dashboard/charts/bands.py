"""The plan's load bands under the supply's P50 and P10-P90: an ECharts option (JSON only)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from igoudar.control.schema import PlanStep, PlanView
from igoudar.dashboard.charts.axes import (
    Points,
    axis_time,
    chart_base,
    legend,
    line,
    media,
    now_mark,
    points,
    quantile_band,
    time_axis,
    value_axis,
)
from igoudar.dashboard.theme import Scheme, colour
from igoudar.dashboard.words import PowerUnit, Words, power_unit

STEP = timedelta(minutes=15)
STEP_MS = 900_000
BANDS = ("cooling", "urgent", "drives", "flexible")  # from below; what can move lies on top
WALL_PX = 1500  # across the whole page, only the wall's chart is this wide


def bands_option(plan: PlanView, words: Words, scheme: Scheme) -> dict[str, Any]:
    """The whole option."""
    unit = bands_unit(plan)
    steps = [*plan.steps, plan.steps[-1]]  # the last one twice: a mean holds until its step ends
    times = [axis_time(step.time, words) for step in plan.steps]
    times, now = [*times, times[-1] + STEP_MS], axis_time(plan.time, words)
    loads, lines = _loads(steps, times, words, unit, scheme), _lines(steps, times, words, unit, scheme)
    low, high = [step.supply_p10_w for step in steps], [step.supply_p90_w for step in steps]
    supply = quantile_band(times, low, high, unit, scheme, edge=1.0)
    filled = [{"name": load["name"], "icon": "roundRect"} for load in loads]
    return {
        **chart_base(scheme),
        "legend": legend([*filled, *(one["name"] for one in lines)], scheme),
        "grid": _grid(),
        "xAxis": [time_axis((min(now, times[0]), times[-1]), 0, scheme, labels=True)],
        "yAxis": [value_axis(0, scheme)],
        "series": [*loads, *supply, *lines, now_mark(words, now, scheme, 0, name=True, align="left")],
        "media": media(
            _grid(), WALL_PX, _grid(left=58, top=60, bottom=32), _grid(top=72), _grid(left=40, top=102)
        ),
    }


def _grid(left: int = 46, top: int = 50, bottom: int = 24) -> list[dict[str, Any]]:
    return [{"left": left, "right": 14, "top": top, "bottom": bottom}]


def bands_unit(plan: PlanView) -> PowerUnit:
    """The one unit of the chart."""
    return power_unit(max((max(_load_w(step), step.supply_p90_w) for step in plan.steps), default=0.0))


def bands_spoken(plan: PlanView, words: Words) -> str:
    """What a screen reader says of it: span, the highest load and the highest supply."""
    unit, steps = bands_unit(plan), plan.steps
    load, supply = max(steps, key=_load_w), max(steps, key=lambda step: step.supply_p50_w)
    return words(
        "bands_spoken",
        start=words.moment(steps[0].time, plan.time),
        end=words.moment(steps[-1].time + STEP, plan.time),
        load=words.power(_load_w(load), unit),
        load_at=words.moment(load.time, plan.time),
        supply=words.power(supply.supply_p50_w, unit),
        supply_at=words.moment(supply.time, plan.time),
    )


def _load_w(step: PlanStep) -> float:
    return step.cooling_w + step.urgent_w + step.drives_w + step.flexible_w


def _loads(
    steps: Sequence[PlanStep], times: Sequence[int], words: Words, unit: PowerUnit, scheme: Scheme
) -> list[dict[str, Any]]:
    values = {
        "cooling": [step.cooling_w for step in steps],
        "urgent": [step.urgent_w for step in steps],
        "drives": [step.drives_w for step in steps],
        "flexible": [step.flexible_w for step in steps],
    }
    return [
        _area(words(f"load_{band}"), points(times, values[band], unit), colour(f"load_{band}", scheme))
        for band in BANDS
        if any(values[band])
    ]


def _area(name: str, data: Points, tint: str) -> dict[str, Any]:
    area = line(name, data, tint, 1)
    area["itemStyle"] = {"color": tint}  # the legend's square
    return area | {"areaStyle": {"color": tint, "opacity": 1}, "stack": "load", "step": "end"}


def _lines(
    steps: Sequence[PlanStep], times: Sequence[int], words: Words, unit: PowerUnit, scheme: Scheme
) -> list[dict[str, Any]]:
    supply = points(times, [step.supply_p50_w for step in steps], unit)
    lines = [line(words("series_supply_p50"), supply, colour("renewable", scheme), 2.4)]
    run_now = [step.run_now_w for step in steps]
    if any(value is not None for value in run_now):
        data = points(times, run_now, unit)
        lines.append(line(words("series_run_now"), data, colour("text", scheme), 1.4, "dotted"))
    return lines
