"""Hall cards with analogue bars, one rack's detail, and the warmest racks."""

from collections.abc import Sequence
from html import escape

from igoudar.control.schema import Halls, HallView, RackDetail, RackView
from igoudar.dashboard.charts.floor import RACK_KW, inlet_class
from igoudar.dashboard.charts.marks import empty_panel, priority_mark, quality_class, quality_mark
from igoudar.dashboard.charts.spark import sparkline
from igoudar.dashboard.words import NONE, Words, power_unit

WARMEST = 8
JOBS_NAMED = 6


def hall_cards(halls: Halls, words: Words) -> list[tuple[str, str]]:
    """(hall, markup) per hall."""
    return [(hall.name, _card(hall, halls.inlet_limit_c, words)) for hall in halls.halls]


def _card(hall: HallView, limit_c: float, words: Words) -> str:
    unit = power_unit(hall.power_max_w)
    title = escape(words.hall(hall.name))
    hot = hall.inlet_worst_c is not None and hall.inlet_worst_c >= limit_c
    lines = (
        _bar(
            words("power"),
            words.power(hall.power_w, unit),
            hall.power_w,
            (0.0, hall.power_max_w),
            hall.power_band_w,
        ),
        _bar(
            words("inlet_worst"),
            words.celsius(hall.inlet_worst_c),
            hall.inlet_worst_c,
            (limit_c - 12, limit_c + 5),
            (limit_c - 9, limit_c),
            css="p2" if hot else "",
        ),
        _figure(words("liquid_supply"), words.celsius(hall.liquid_supply_c)),
        _figure("ΔT", words.unit(hall.liquid_delta_k, "K")),
    )
    racks = words.html("racks_count", racks=hall.racks)
    return (
        f'<section class="ig-panel ig-card"><h2>{title} <span>{racks}</span></h2>{"".join(lines)}</section>'
    )


def _figure(name: str, shown: str) -> str:
    return f'<p class="ig-line"><span>{escape(name)}</span><b>{escape(shown)}</b></p>'


def _bar(
    name: str,
    shown: str,
    value: float | None,
    scale: tuple[float, float],
    band: tuple[float, float],
    css: str = "",
) -> str:
    """Value over its scale: the normal band is a grey stretch, the value a tick."""
    left, right = (_share(edge, scale) for edge in band)
    tick = "" if value is None else f'<i class="{css}" style="left:{_share(value, scale):.1f}%"></i>'
    return (
        f'{_figure(name, shown)}<div class="ig-bar" aria-hidden="true">'
        f'<s style="left:{left:.1f}%;width:{max(right - left, 0):.1f}%"></s>{tick}</div>'
    )


def _share(value: float, scale: tuple[float, float]) -> float:
    low, high = scale
    return min(max(100 * (value - low) / ((high - low) or 1.0), 0.0), 100.0)


def _few(jobs: Sequence[str], words: Words) -> str:
    """The first jobs by name; the list of all is the jobs page's."""
    rest = len(jobs) - JOBS_NAMED
    named = [*jobs[:JOBS_NAMED], *([words("more_jobs", count=rest)] if rest > 0 else [])]
    return ", ".join(named) or NONE


def rack_panel(detail: RackDetail | None, name: str, words: Words) -> str:
    """One rack close: figures, 4 h of its inlet, its jobs."""
    title = words("rack_title", rack=name)
    if detail is None:
        return empty_panel(title, words)
    rack = detail.rack
    mark = priority_mark(rack.priority, words) if rack.priority else quality_mark(rack.quality, words)
    power = f"{words.number(_kilowatts(rack.power_w), 0)} / {words.power(detail.peak_w, RACK_KW)}"
    figures = (
        (words("inlet_worst"), words.celsius(rack.inlet_c)),
        (words("power_of_peak"), power),
        (words("liquid_supply"), words.celsius(detail.liquid_supply_c)),
        (words("liquid_return"), words.celsius(detail.liquid_return_c)),
        (words("liquid_flow"), words.unit(detail.liquid_flow_lpm, "l/min", 0)),
        (words("gpus"), str(detail.gpus)),
        (words("gpu_utilisation"), words.unit(detail.gpu_utilisation_pct, "%", 0)),
        (words("gpu_temperature"), words.celsius(detail.gpu_temperature_c)),
        (words("compute_trays"), str(detail.trays)),
        (words("running_jobs"), _few(detail.jobs, words)),
    )
    return (
        f'<section class="ig-panel ig-detail{quality_class(rack.quality)}"><h2>{escape(title)} {mark}</h2>'
        f"{''.join(_figure(*figure) for figure in figures)}{_inlet_history(detail, words)}</section>"
    )


def _kilowatts(power_w: float | None) -> float | None:
    return None if power_w is None else power_w / RACK_KW.divisor


def _inlet_history(detail: RackDetail, words: Words) -> str:
    low, high = (words.number(edge, 0) for edge in detail.inlet_band_c)
    label = words("inlet_history", low=low, high=high)
    hot = " p2" if (detail.rack.inlet_c or 0) >= detail.inlet_band_c[1] else ""
    return (
        f"<h4>{escape(label)}</h4>"
        f"{sparkline(detail.inlet_history, detail.inlet_band_c, label=label, css='tall' + hot)}"
    )


def warmest(racks: Sequence[RackView]) -> list[RackView]:
    """The racks with the warmest known inlets, warmest first."""
    known = [rack for rack in racks if rack.inlet_c is not None]
    return sorted(known, key=lambda rack: -(rack.inlet_c or 0.0))[:WARMEST]


def warmest_panel(halls: Halls, words: Words) -> str:
    """The eight warmest racks with bars; each opens its rack."""
    limit = halls.inlet_limit_c
    rows = "".join(_warm_row(rack, limit, words) for rack in warmest(halls.racks))
    body = rows or f"<p>{words.html('no_data')}</p>"
    head = f"<h2>{words.html('warmest_racks')} <span>°C</span></h2>"
    return f'<section class="ig-panel ig-warm">{head}{body}</section>'


def _warm_row(rack: RackView, limit_c: float, words: Words) -> str:
    name = escape(rack.name)
    width = _share(rack.inlet_c or 0.0, (limit_c - 12, limit_c + 5))
    hot = "p2" if inlet_class(rack.inlet_c, limit_c) == "p2" else ""
    return (
        f'<button type="button" class="ig-warm-row" data-act="{name}"><span>{name}</span>'
        f'<i><s class="{hot}" style="width:{width:.1f}%"></s></i><b>{words.number(rack.inlet_c)}</b></button>'
    )
