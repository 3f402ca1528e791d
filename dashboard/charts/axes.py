"""Pieces of ECharts options (JSON only) that every time chart shares, so that all read alike."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from igoudar.dashboard.theme import Scheme, colour
from igoudar.dashboard.words import PowerUnit, Words

Values = Sequence[float | None]
Points = list[list[float | int | None]]
Grids = Sequence[dict[str, Any]]
FONT = '"Source Sans", sans-serif'


def chart_base(scheme: Scheme) -> dict[str, Any]:
    """What no chart differs in."""
    return {
        "animation": False,
        "useUTC": True,
        "textStyle": {"fontFamily": FONT, "color": colour("text", scheme)},
        "tooltip": _tooltip(scheme),
    }


def axis_time(time: datetime, words: Words) -> int:
    """Position of a time on the axis."""
    # ECharts knows only UTC and the browser's zone: the site's wall clock is written as if it were UTC.
    return round(words.local(time).replace(tzinfo=UTC).timestamp() * 1000)


def points(times: Sequence[int], values: Values, unit: PowerUnit) -> Points:
    """(time, value) pairs in the panel's unit; a gap where no value is."""
    return [
        [t, None if v is None else round(v / unit.divisor, 3)] for t, v in zip(times, values, strict=False)
    ]


def line(name: str, data: Points, tint: str, width: float, dash: str = "solid") -> dict[str, Any]:
    """One line; its legend entry shows the line and no dot."""
    return {
        "name": name,
        "type": "line",
        "symbol": "none",
        "data": data,
        "lineStyle": {"color": tint, "width": width, "type": dash},
        "itemStyle": {"color": tint, "opacity": 0},
        "emphasis": {"disabled": True},
    }


def quantile_band(
    times: Sequence[int], low: Values, high: Values, unit: PowerUnit, scheme: Scheme, edge: float = 0.0
) -> list[dict[str, Any]]:
    """P10 as a base line, P90 - P10 stacked on it as an area; nothing where there is no forecast."""
    if not any(value is not None for value in high):
        return []
    width = [None if a is None or b is None else b - a for a, b in zip(low, high, strict=False)]
    tint = colour("renewable", scheme) if edge else "transparent"
    base = line("_p10", points(times, low, unit), tint, edge, "dotted")
    area = line("_p90", points(times, width, unit), tint, edge, "dotted")
    area["areaStyle"] = {"color": colour("renewable", scheme), "opacity": 0.2}
    return [s | {"stack": "band", "tooltip": {"show": False}, "silent": True} for s in (base, area)]


def now_mark(
    words: Words, at: int, scheme: Scheme, axis: int, *, name: bool, align: str = "center"
) -> dict[str, Any]:
    """The upright line at now."""
    tint = colour("text", scheme)
    return {
        "name": f"_now{axis}",
        "type": "line",
        "data": [],
        "xAxisIndex": axis,
        "yAxisIndex": axis,
        "tooltip": {"show": False},
        "z": 5,
        "markLine": {
            "silent": True,
            "symbol": "none",
            "animation": False,
            "label": {
                "show": name,
                "formatter": words("now"),
                "color": tint,
                "position": "end",
                "align": align,
                "distance": 3,
            },
            "lineStyle": {"color": tint, "width": 1, "type": "solid"},
            "data": [{"xAxis": at}],
        },
    }


def legend(entries: Sequence[str | dict[str, Any]], scheme: Scheme) -> dict[str, Any]:
    """The legend above the chart."""
    return {
        "data": list(entries),
        "top": 0,
        "left": 0,
        "itemHeight": 8,
        "textStyle": {"color": colour("second", scheme)},
    }


def time_axis(
    span: tuple[int | None, int | None], axis: int, scheme: Scheme, *, labels: bool
) -> dict[str, Any]:
    """The time axis, with days in bold."""
    day = {"fontWeight": "bold", "color": colour("text", scheme)}
    return {
        "type": "time",
        "gridIndex": axis,
        "min": span[0],
        "max": span[1],
        "axisLine": {"onZero": False, "lineStyle": {"color": colour("line", scheme)}},
        "axisTick": {"show": labels},
        "splitLine": {"show": False},
        "axisLabel": {
            "show": labels,
            "color": colour("second", scheme),
            "hideOverlap": True,
            "formatter": {"year": "{d|{dd}/{MM}}", "month": "{d|{dd}/{MM}}", "day": "{d|{dd}/{MM}}"}
            | {"hour": "{HH}:{mm}", "minute": "{HH}:{mm}"},
            "rich": {"d": day},
        },
    }


def value_axis(axis: int, scheme: Scheme, splits: int = 5) -> dict[str, Any]:
    """The value axis."""
    return {
        "type": "value",
        "gridIndex": axis,
        "splitNumber": splits,
        "axisLabel": {"color": colour("second", scheme), "formatter": "{value}", "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": colour("line", scheme), "opacity": 0.7}},
    }


def media(usual: Grids, wall_px: int, wall: Grids, narrow: Grids, phone: Grids) -> list[dict[str, Any]]:
    """Larger type on the wall (charts from `wall_px` on), more room above where the legend wraps.

    Every entry sets all that any other sets: ECharts undoes nothing when a window changes its size.
    """
    return [
        {"option": _sized(usual, 13, 12)},
        {"query": {"maxWidth": 480}, "option": _sized(phone, 13, 12, gap=9)},
        {"query": {"minWidth": 481, "maxWidth": 700}, "option": _sized(narrow, 13, 12)},
        {"query": {"minWidth": wall_px}, "option": _sized(wall, 16, 16, width=26, gap=18)},
    ]


def _sized(grids: Grids, text: int, axis: int, width: int = 20, gap: int = 12) -> dict[str, Any]:
    axes = [{"axisLabel": {"fontSize": axis}}] * len(grids)
    key = {"itemWidth": width, "itemGap": gap, "textStyle": {"fontSize": text}}
    return {"legend": key, "xAxis": axes, "yAxis": axes, "grid": list(grids)}


def _tooltip(scheme: Scheme) -> dict[str, Any]:
    return {
        "trigger": "axis",
        "backgroundColor": colour("panel", scheme),
        "borderColor": colour("line", scheme),
        "textStyle": {"color": colour("text", scheme), "fontFamily": FONT},
        "valueFormatter": "localized",
        "confine": True,
    }
