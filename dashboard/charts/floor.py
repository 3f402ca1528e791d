"""The floor plan: halls, rows and racks as data that `floor.js` draws."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from igoudar.control.schema import Halls, HallView, RackView
from igoudar.dashboard.charts.marks import priority_class, quality_class
from igoudar.dashboard.words import NONE, PowerUnit, Words, power_unit

STEPS_K = (-5.0, -3.0, -2.0)  # grey steps of the inlet scale, below the site's limit
SHARES = (0.25, 0.5, 0.75)  # grey steps of the power scale, of the fullest rack's share of its hall
RACK_KW = PowerUnit(1e3, "kW", 0)


def floor_data(halls: Halls, shown: Sequence[HallView], selected: str | None, words: Words) -> dict[str, Any]:
    """All that the map needs: layout, texts, classes and spoken labels of both views."""
    scale_w = _full_scale_w(halls)
    blocks = [_hall(hall, halls, scale_w, words) for hall in shown]
    return {
        "layout": "|".join(f"{hall.name}:{hall.racks}" for hall in shown),
        "halls": blocks,
        "selected": selected,
        "labels": {
            "title": words("floor_plan"),
            "hint": words("floor_hint", racks=sum(hall.racks for hall in shown)),
            "temperature": words("view_temperature"),
            "power": words("view_power"),
            "pick": words("choose_rack"),
        },
        "legend": {
            "temperature": _temperature_legend(halls.inlet_limit_c, words),
            "power": _power_legend(scale_w, words),
        },
    }


def _full_scale_w(halls: Halls) -> float:
    return max((hall.power_max_w / hall.racks for hall in halls.halls if hall.racks), default=1.0) or 1.0


def _hall(hall: HallView, halls: Halls, scale_w: float, words: Words) -> dict[str, Any]:
    racks = [rack for rack in halls.racks if rack.hall == hall.name]
    first = min((rack.position for rack in racks), default=1)
    unit = power_unit(hall.power_max_w)
    worst = words("hall_worst", inlet=words.celsius(hall.inlet_worst_c), rack=hall.inlet_worst_rack or NONE)
    rows = [
        {
            "row": row,
            "gap": index > 0 and index % 2 == 0,
            "cells": [
                [r.name, r.position - first + 1, _views(r, halls.inlet_limit_c, scale_w, words)] for r in line
            ],
        }
        for index, (row, line) in enumerate(_rows(racks))
    ]
    return {
        "title": words.hall(hall.name),
        "note": f"{words.power(hall.power_w, unit)} · {worst}",
        "columns": max((rack.position - first + 1 for rack in racks), default=1),
        "rows": rows,
    }


def _rows(racks: Iterable[RackView]) -> list[tuple[str, list[RackView]]]:
    ordered = sorted(racks, key=lambda rack: (rack.row, rack.position))
    return [(row, list(line)) for row, line in groupby(ordered, key=lambda rack: rack.row)]


def _views(rack: RackView, limit_c: float, scale_w: float, words: Words) -> dict[str, tuple[str, ...]]:
    temperature, power = words.celsius(rack.inlet_c), words.power(rack.power_w, RACK_KW)
    state = "" if rack.quality == "good" else f", {words.known('quality', rack.quality)}"
    alarm = f", {words('priority', priority=rack.priority)}" if rack.priority else ""
    spoken = f"{rack.name}: {temperature}, {power}{state}{alarm}"
    warm = _class(rack, inlet_class(rack.inlet_c, limit_c))
    kilowatts = _cell(rack, _kilowatts(rack.power_w), 0, words)
    busy = _class(rack, _power_class(rack.power_w, scale_w))
    return {
        "temperature": (
            _cell(rack, rack.inlet_c, 1, words),
            warm,
            spoken,
            _cell(rack, rack.inlet_c, 0, words),
        ),
        "power": (kilowatts, busy, spoken, kilowatts),
    }


def _kilowatts(power_w: float | None) -> float | None:
    return None if power_w is None else power_w / RACK_KW.divisor


def _cell(rack: RackView, value: float | None, digits: int, words: Words) -> str:
    if rack.quality == "off":
        return words("cell_off")
    if value is None and rack.quality != "good":
        return "?"
    return words.number(value, digits)


def _class(rack: RackView, step: str) -> str:
    return ((priority_class(rack.priority) or step) + quality_class(rack.quality)).strip()


def inlet_class(inlet_c: float | None, limit_c: float) -> str:
    """Grey step of an inlet temperature, or the colour of a limit passed."""
    if inlet_c is None:
        return "none"
    if inlet_c >= limit_c:
        return "p2"
    return f"s{sum(inlet_c >= limit_c + step for step in STEPS_K)}"


def _power_class(power_w: float | None, scale_w: float) -> str:
    if power_w is None:
        return "none"
    return f"s{sum(power_w >= share * scale_w for share in SHARES)}"


def _temperature_legend(limit_c: float, words: Words) -> list[tuple[str, str]]:
    edges = [limit_c + step for step in STEPS_K]
    texts = [words.number(edge, 0) for edge in (*edges, limit_c)]
    steps = [("s0", f"< {texts[0]}"), *((f"s{i + 1}", f"{texts[i]}–{texts[i + 1]}") for i in range(3))]
    return [
        *steps,
        ("p2", words("legend_high", limit=texts[3])),
        ("p1", words("legend_p1")),
        ("q-stale", words("quality_stale")),
    ]


def _power_legend(scale_w: float, words: Words) -> list[tuple[str, str]]:
    texts = [words.number(share * scale_w / RACK_KW.divisor, 0) for share in SHARES]
    return [
        ("s0", f"< {texts[0]}"),
        ("s1", f"{texts[0]}–{texts[1]}"),
        ("s2", f"{texts[1]}–{texts[2]}"),
        ("s3", f"≥ {texts[2]}"),
        ("q-stale", words("quality_stale")),
    ]
