"""The power flow: sources, campus bus, sinks. Ribbons stretch with the panel, labels keep their size."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from igoudar.control.schema import Flow, Overview
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.words import PowerUnit, Words, power_unit

GAP = 2.5  # between the arms of one side, in per cent of the height
LEFT, BUS, RIGHT, THICK = 0.0, 48.0, 97.0, 3.0  # x of the three columns and their width, per cent
TALL = 11.0  # an arm this high has room for two lines of label
SLOT = 6.5  # least height of an arm, so that one line fits


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm with its place: `top` and `height` per cent of the panel."""

    flow: Flow
    top: float
    height: float
    slot: float


def flow_markup(overview: Overview | None, words: Words) -> str:
    """The panel "Power now"."""
    if overview is None:
        return empty_panel(words("power_now"), words, "ig-flow")
    unit = power_unit(reference_w(overview))
    scale = flow_scale(overview.sources, overview.sinks)
    sources, sinks = arms(overview.sources, scale), arms(overview.sinks, scale)
    labels = [_label(arm, words, unit, "from") for arm in sources]
    labels += [_label(arm, words, unit, "to") for arm in sinks]
    return (
        f'<section class="ig-panel ig-flow"><h2>{words.html("power_now")} <span>{unit.symbol}</span></h2>'
        f'<div class="ig-flow-area" role="img" aria-label="{escape(_spoken(overview, words, unit))}">'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f"{_ribbons(sources, sinks, scale)}</svg>{_bus(overview, sources, scale, words, unit)}"
        f"{''.join(labels)}</div></section>"
    )


def reference_w(overview: Overview) -> float:
    """The largest power of the page's chart and flow [W]: it fixes the unit, so that the unit stays."""
    chart = overview.chart
    values = [*chart.load_w, *chart.renewable_w, *(f.power_w for f in (*overview.sources, *overview.sinks))]
    return max((abs(value) for value in values if value is not None), default=0.0)


def flow_scale(*sides: Sequence[Flow]) -> float:
    """Per cent of height per W, the same on all sides, so that each side with its labels fits in 100."""
    low, high = 0.0, 100.0 / max(*(sum(map(_power, side)) for side in sides), 1.0)
    for _ in range(30):
        middle = (low + high) / 2
        fits = all(_stack(side, middle) <= 100.0 for side in sides)
        low, high = (middle, high) if fits else (low, middle)
    return low


def arms(flows: Sequence[Flow], scale: float) -> list[Arm]:
    """Places of one side's arms, the side centred."""
    top = (100.0 - _stack(flows, scale)) / 2
    placed = []
    for flow in flows:
        height = _power(flow) * scale
        slot = max(height, SLOT)
        placed.append(Arm(flow, top + (slot - height) / 2, height, slot))
        top += slot + GAP
    return placed


def _power(flow: Flow) -> float:
    return max(flow.power_w or 0.0, 0.0)


def _stack(flows: Sequence[Flow], scale: float) -> float:
    return sum(max(_power(flow) * scale, SLOT) for flow in flows) + GAP * max(len(flows) - 1, 0)


def _bus_top(arms_: Sequence[Arm]) -> float:
    return (100.0 - sum(arm.height for arm in arms_)) / 2


def _ribbons(sources: Sequence[Arm], sinks: Sequence[Arm], scale: float) -> str:
    drawn, at = [], _bus_top(sources)
    for arm in sources:
        drawn += [_band(arm, LEFT + THICK, arm.top, BUS, at), _block(arm, LEFT)]
        at += arm.height
    at = _bus_top(sinks)
    for arm in sinks:
        drawn += [_band(arm, BUS + THICK, at, RIGHT, arm.top), _block(arm, RIGHT)]
        at += arm.height
    tall = max(sum(arm.height for arm in side) for side in (sources, sinks))
    bus = f'<rect class="bus" x="{BUS}" y="{(100 - tall) / 2:.2f}" width="{THICK}" height="{tall:.2f}"/>'
    return "".join(drawn) + bus


def _band(arm: Arm, x0: float, y0: float, x1: float, y1: float) -> str:
    if arm.height <= 0:
        return ""
    middle, height = (x0 + x1) / 2, arm.height
    return (
        f'<path class="ribbon {_role(arm.flow)}" d="M{x0} {y0:.2f}C{middle} {y0:.2f} {middle} {y1:.2f} {x1}'
        f" {y1:.2f}V{y1 + height:.2f}C{middle} {y1 + height:.2f} {middle} {y0 + height:.2f} {x0}"
        f' {y0 + height:.2f}z"/>'
    )


def _block(arm: Arm, x: float) -> str:
    height = max(arm.height, 0.4)
    return (
        f'<rect class="{_role(arm.flow)}" x="{x}" y="{arm.top:.2f}" width="{THICK}" height="{height:.2f}"/>'
    )


def _role(flow: Flow) -> str:
    known = {"solar", "wind", "grid", "battery", "it", "cooling", "desalination", "electrolyser"}
    return flow.code if flow.code in known else "grid" if flow.code == "export" else "losses"


def _label(arm: Arm, words: Words, unit: PowerUnit, side: str) -> str:
    name = words.known("flow", f"{arm.flow.code}_{side}" if arm.flow.code == "battery" else arm.flow.code)
    more = f" · {words.text(arm.flow.note)}" if arm.flow.note else ""
    if arm.flow.forecast_w is not None:
        more = f" · P50 {words.power(arm.flow.forecast_w, unit)}{more}"
    small = "" if arm.height >= TALL - GAP else " small"
    return (
        f'<div class="ig-arm {side}{small}" style="top:{arm.top + arm.height / 2:.2f}%">'
        f'<b>{words.power(arm.flow.power_w, unit)}</b><span title="{escape(name + more)}">'
        f"{escape(name)}<i>{escape(more)}</i></span></div>"
    )


def _bus(overview: Overview, sources: Sequence[Arm], scale: float, words: Words, unit: PowerUnit) -> str:
    total = max(sum(map(_power, side)) for side in (overview.sources, overview.sinks)) * scale
    top = (100 - total) / 2
    return (
        f'<div class="ig-bus" style="top:{top:.2f}%"><b>{words.power(overview.bus_w, unit)}</b></div>'
        f'<div class="ig-bus below" style="top:{100 - top:.2f}%">{words.html("campus_bus")}</div>'
    )


def _spoken(overview: Overview, words: Words, unit: PowerUnit) -> str:
    def side(flows: Sequence[Flow]) -> str:
        return ", ".join(f"{words.known('flow', f.code)} {words.power(f.power_w, unit)}" for f in flows)

    return words("flow_spoken", sources=side(overview.sources), sinks=side(overview.sinks))
