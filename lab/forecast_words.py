"""The scores of the forecasts as tables: one a channel, one row a horizon."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from igoudar.core.i18n import render
from igoudar.core.units import format_number
from igoudar.lab.forecast_study import HORIZONS, REFERENCE
from igoudar.lab.words import draw_right

OURS = "model"
REFERENCES = ("persistence", "climatology", REFERENCE)
HEADS = (
    *("lead", "nrmse", "nrmse_persistence", "nrmse_climatology", "nrmse_mix", "skill", "skill_range"),
    *("pinball", "pinball_mix", "coverage"),
)


def show_scores(scores: pl.DataFrame, lang: str) -> None:
    """Our forecast at the horizons that a screen has room for, the references beside."""
    heads = [render(f"lab.{head}", {}, lang) for head in HEADS]
    for (channel,), part in scores.group_by("channel", maintain_order=True):
        rows = {(row["kind"], row["lead_h"]): row for row in part.iter_rows(named=True)}
        told = [_row(rows, lead, lang) for lead in HORIZONS if (OURS, lead) in rows]
        draw_right(heads, told, render("lab.forecast_title", {"channel": str(channel)}, lang))


def _row(rows: Mapping[tuple[str, int], Mapping[str, Any]], lead: int, lang: str) -> list[str]:
    ours, mix = rows[(OURS, lead)], rows[(REFERENCE, lead)]

    def per_cent(value: float) -> str:
        return format_number(100 * value, lang)

    return [
        str(lead),
        per_cent(ours["nrmse"]),
        *(per_cent(rows[(kind, lead)]["nrmse"]) for kind in REFERENCES),
        per_cent(ours["skill"]),
        f"{per_cent(ours['skill_low'])} .. {per_cent(ours['skill_high'])}",
        per_cent(ours["pinball"]),
        per_cent(mix["pinball"]),
        per_cent(ours["coverage"]),
    ]
