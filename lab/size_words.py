"""The answers of a sizing study as a table."""

from collections.abc import Mapping
from typing import Any

from igoudar.core.i18n import render
from igoudar.core.units import format_number
from igoudar.lab.words import draw_line, draw_right

HEADS = ("target", "reached", "pv", "wind", "battery", "battery_power", "capital", "yearly")


def show_sizes(found: Mapping[str, Any], lang: str) -> None:
    """One row a target; what is not reached is said below."""
    rows = [_row(answer, lang) for answer in found["answers"] if answer["reached"] is not None]
    heads = [render(f"lab.{head}", {}, lang) for head in HEADS]
    draw_right(heads, rows, render("lab.size_title", {"policy": found["policy"]}, lang))
    for answer in found["answers"]:
        if answer["reached"] is None:
            told = {
                "target_pct": 100 * answer["target"],
                "best_pct": 100 * answer["best"],
                "most": answer["most_times_load"],
            }
            draw_line(render("lab.size_unreachable", told, lang))
    draw_line(render("lab.size_costs", {"battery_usd": found["battery_usd_per_kwh"]}, lang))


def _row(answer: Mapping[str, Any], lang: str) -> list[str]:
    figures = (
        *((100 * answer["target"], 1), (100 * answer["reached"], 2), (answer["pv_mw"], 1)),
        *((answer["wind_mw"], 1), (answer["battery_mwh"], 1), (answer["battery_mw"], 1)),
        *((answer["capital_usd"] / 1e6, 1), (answer["usd_per_year"] / 1e6, 2)),
    )
    return [format_number(value, lang, digits) for value, digits in figures]
