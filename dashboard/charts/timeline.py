"""Past, plan and forecast on one time axis, moved load below: an ECharts option (JSON only)."""

from collections.abc import Sequence
from typing import Any

from igoudar.control.schema import Chart
from igoudar.dashboard.charts.axes import (
    Values,
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
from igoudar.dashboard.words import PowerUnit, Words

WALL_PX = 950  # beside the power flow, only the wall's chart is this wide


def timeline_option(chart: Chart, words: Words, unit: PowerUnit, scheme: Scheme) -> dict[str, Any]:
    """The whole option; series that have no value at all are left out, and so are their legend entries."""
    times = [axis_time(time, words) for time in chart.time]
    band = quantile_band(times, chart.forecast_p10_w, chart.forecast_p90_w, unit, scheme)
    lines = [*band, *_lines(chart, words, unit, times, scheme)]
    lines.append(now_mark(words, axis_time(chart.now, words), scheme, 0, name=True))
    moved = _moved(chart, words, unit, times, scheme)
    named = [s["name"] for s in [*lines, *moved] if s.get("name") and not s["name"].startswith("_")]
    span: tuple[int | None, int | None] = (times[0], times[-1]) if times else (None, None)
    return {
        **chart_base(scheme),
        "legend": legend(named, scheme),
        "grid": _grids(),
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "xAxis": [time_axis(span, axis, scheme, labels=axis == 1) for axis in (0, 1)],
        "yAxis": [value_axis(0, scheme), value_axis(1, scheme, splits=2)],
        "series": [*lines, *moved],
        "media": _media(),
    }


def timeline_range(chart: Chart, words: Words, zone: str) -> str:
    """What the heading says of the span, and whether there is a forecast at all."""
    known = any(value is not None for value in chart.forecast_p50_w)
    return words("chart_range" if known else "chart_range_bare", zone=zone)


def timeline_spoken(chart: Chart, words: Words, unit: PowerUnit) -> str:
    """What a screen reader says of it: the latest known figures."""
    load, renewable = (_last(values) for values in (chart.load_w, chart.renewable_w))
    return words(
        "chart_spoken",
        time=words.clock(chart.now),
        load=words.power(load, unit),
        renewable=words.power(renewable, unit),
    )


def _last(values: Values) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _lines(
    chart: Chart, words: Words, unit: PowerUnit, times: Sequence[int], scheme: Scheme
) -> list[dict[str, Any]]:
    kinds = (
        ("forecast_p50", chart.forecast_p50_w, "renewable", 1.6, "dashed"),
        ("renewable", chart.renewable_w, "renewable", 2.0, "solid"),
        ("load", chart.load_w, "text", 2.2, "solid"),
        ("plan", chart.plan_w, "accent", 1.8, "solid"),
        ("run_now", chart.run_now_w, "second", 1.4, "dotted"),
    )
    return [
        line(words(f"series_{key}"), points(times, values, unit), colour(role, scheme), width, dash)
        for key, values, role, width, dash in kinds
        if any(value is not None for value in values)
    ]


def _moved(
    chart: Chart, words: Words, unit: PowerUnit, times: Sequence[int], scheme: Scheme
) -> list[dict[str, Any]]:
    up, away = colour("wind", scheme), colour("muted", scheme)
    data = [
        {"value": point, "itemStyle": {"color": away}} if (point[1] or 0) < 0 else {"value": point}
        for point in points(times, chart.moved_w, unit)
    ]
    bars = {
        "name": words("series_moved"),
        "type": "bar",
        "xAxisIndex": 1,
        "yAxisIndex": 1,
        "data": data,
        "itemStyle": {"color": up},
        "barCategoryGap": "25%",
    }
    known = any(value is not None for value in chart.moved_w)
    mark = now_mark(words, axis_time(chart.now, words), scheme, 1, name=False)
    return [bars, mark] if known else [mark]


def _grids(left: int = 46, top: int = 50, bottom: int = 24) -> list[dict[str, Any]]:
    upper, lower = {"top": top, "bottom": "30%"}, {"top": "77%", "bottom": bottom}
    return [{"left": left, "right": 14} | upper, {"left": left, "right": 14} | lower]


def _media() -> list[dict[str, Any]]:
    wall, phone = _grids(left=58, top=56, bottom=32), _grids(left=40, top=94)
    return media(_grids(), WALL_PX, wall, _grids(top=70), phone)
