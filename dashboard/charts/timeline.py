"""Past, plan and forecast on one time axis, moved load below: an ECharts option (JSON only)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from igoudar.control.schema import Chart
from igoudar.dashboard.theme import Scheme, colour
from igoudar.dashboard.words import PowerUnit, Words

Values = Sequence[float | None]
FONT = '"Source Sans", sans-serif'


def timeline_option(chart: Chart, words: Words, unit: PowerUnit, scheme: Scheme) -> dict[str, Any]:
    """The whole option; series that have no value at all are left out, and so are their legend entries."""
    times = [_axis_time(time, words) for time in chart.time]
    lines = [*_band(chart, words, unit, times, scheme), *_lines(chart, words, unit, times, scheme)]
    lines.append(_now_mark(words, _axis_time(chart.now, words), scheme, 0, name=True))
    moved = _moved(chart, words, unit, times, scheme)
    legend = [s["name"] for s in [*lines, *moved] if s.get("name") and not s["name"].startswith("_")]
    return {
        "animation": False,
        "useUTC": True,
        "textStyle": {"fontFamily": FONT, "color": colour("text", scheme)},
        "legend": _legend(legend, scheme),
        "grid": _grids(top=34),
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "tooltip": _tooltip(scheme),
        "xAxis": [_time_axis(times, 0, scheme), _time_axis(times, 1, scheme)],
        "yAxis": [_value_axis(0, scheme), _value_axis(1, scheme)],
        "series": [*lines, *moved],
        "media": _media(),
    }


def timeline_spoken(chart: Chart, words: Words, unit: PowerUnit) -> str:
    """What a screen reader says of it: the latest known figures."""
    load, renewable = (_last(values) for values in (chart.load_w, chart.renewable_w))
    return words(
        "chart_spoken",
        time=words.clock(chart.now),
        load=words.power(load, unit),
        renewable=words.power(renewable, unit),
    )


def _axis_time(time: datetime, words: Words) -> int:
    # ECharts knows only UTC and the browser's zone: the site's wall clock is written as if it were UTC.
    return round(words.local(time).replace(tzinfo=UTC).timestamp() * 1000)


def _last(values: Values) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _points(times: Sequence[int], values: Values, unit: PowerUnit) -> list[list[float | int | None]]:
    return [
        [t, None if v is None else round(v / unit.divisor, 3)] for t, v in zip(times, values, strict=False)
    ]


def _line(name: str, data: Any, tint: str, width: float, dash: str = "solid") -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "symbol": "none",
        "data": data,
        "lineStyle": {"color": tint, "width": width, "type": dash},
        "itemStyle": {"color": tint, "opacity": 0},
        "emphasis": {"disabled": True},
    }


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
        _line(words(f"series_{key}"), _points(times, values, unit), colour(role, scheme), width, dash)
        for key, values, role, width, dash in kinds
        if any(value is not None for value in values)
    ]


def _band(
    chart: Chart, words: Words, unit: PowerUnit, times: Sequence[int], scheme: Scheme
) -> list[dict[str, Any]]:
    """P10 as an unseen line, P90 - P10 stacked on it as an area."""
    low, high = chart.forecast_p10_w, chart.forecast_p90_w
    if not any(value is not None for value in high):
        return []
    width = [None if a is None or b is None else b - a for a, b in zip(low, high, strict=False)]
    base = _line("_p10", _points(times, low, unit), "transparent", 0)
    area = _line("_p90", _points(times, width, unit), "transparent", 0)
    area["areaStyle"] = {"color": colour("renewable", scheme), "opacity": 0.2}
    return [s | {"stack": "band", "tooltip": {"show": False}, "silent": True} for s in (base, area)]


def _moved(
    chart: Chart, words: Words, unit: PowerUnit, times: Sequence[int], scheme: Scheme
) -> list[dict[str, Any]]:
    up, away = colour("wind", scheme), colour("muted", scheme)
    data = [
        {"value": point, "itemStyle": {"color": away}} if (point[1] or 0) < 0 else {"value": point}
        for point in _points(times, chart.moved_w, unit)
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
    mark = _now_mark(words, _axis_time(chart.now, words), scheme, 1, name=False)
    return [bars, mark] if known else [mark]


def _now_mark(words: Words, at: int, scheme: Scheme, axis: int, *, name: bool) -> dict[str, Any]:
    return {
        "name": f"_now{axis}",
        "type": "line",
        "data": [],
        "xAxisIndex": axis,
        "yAxisIndex": axis,
        "tooltip": {"show": False},
        "markLine": {
            "silent": True,
            "symbol": "none",
            "animation": False,
            "label": {
                "show": name,
                "formatter": words("now"),
                "color": colour("text", scheme),
                "position": "end",
                "distance": 3,
            },
            "lineStyle": {"color": colour("text", scheme), "width": 1, "type": "solid"},
            "data": [{"xAxis": at}],
        },
    }


def _legend(names: Sequence[str], scheme: Scheme) -> dict[str, Any]:
    return {
        "data": list(names),
        "top": 0,
        "left": 0,
        "itemWidth": 20,
        "itemHeight": 8,
        "itemGap": 12,
        "textStyle": {"color": colour("second", scheme), "fontSize": 13},
    }


def _grids(top: int) -> list[dict[str, Any]]:
    return [
        {"left": 46, "right": 14, "top": top + 16, "bottom": "30%"},
        {"left": 46, "right": 14, "top": "77%", "bottom": 24},
    ]


def _tooltip(scheme: Scheme) -> dict[str, Any]:
    return {
        "trigger": "axis",
        "backgroundColor": colour("panel", scheme),
        "borderColor": colour("line", scheme),
        "textStyle": {"color": colour("text", scheme), "fontFamily": FONT},
        "valueFormatter": "localized",
        "confine": True,
    }


def _time_axis(times: Sequence[int], axis: int, scheme: Scheme) -> dict[str, Any]:
    last = axis == 1
    day = {"fontWeight": "bold", "color": colour("text", scheme)}
    return {
        "type": "time",
        "gridIndex": axis,
        "min": times[0] if times else None,
        "max": times[-1] if times else None,
        "axisLine": {"onZero": False, "lineStyle": {"color": colour("line", scheme)}},
        "axisTick": {"show": last},
        "splitLine": {"show": False},
        "axisLabel": {
            "show": last,
            "color": colour("second", scheme),
            "hideOverlap": True,
            "formatter": {"year": "{d|{dd}/{MM}}", "month": "{d|{dd}/{MM}}", "day": "{d|{dd}/{MM}}"}
            | {"hour": "{HH}:{mm}", "minute": "{HH}:{mm}"},
            "rich": {"d": day},
        },
    }


def _value_axis(axis: int, scheme: Scheme) -> dict[str, Any]:
    return {
        "type": "value",
        "gridIndex": axis,
        "splitNumber": 2 if axis else 5,
        "axisLabel": {"color": colour("second", scheme), "formatter": "{value}", "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": colour("line", scheme), "opacity": 0.7}},
    }


def _media() -> list[dict[str, Any]]:
    """Larger type on the wall, more room for the legend on the phone."""
    wall = {
        "legend": {"itemWidth": 26, "itemGap": 18, "textStyle": {"fontSize": 16}},
        "xAxis": [{"axisLabel": {"fontSize": 16}}] * 2,
        "yAxis": [{"axisLabel": {"fontSize": 16}}] * 2,
        "grid": [{"left": 58, "top": 56}, {"left": 58, "bottom": 32}],
    }
    phone = {"grid": [{"left": 40, "top": 94}, {"left": 40}], "legend": {"itemGap": 9}}
    narrow = {"grid": [{"top": 70}, {}]}
    return [
        {"query": {"maxWidth": 480}, "option": phone},
        {"query": {"minWidth": 481, "maxWidth": 700}, "option": narrow},
        {"query": {"minWidth": 950}, "option": wall},
    ]
