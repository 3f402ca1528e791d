"""Announced limits of a study: what a scenario file says of them, and how far a run went above one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from igoudar.control.planning.policy import FACILITY, STEP_S, Ceiling
from igoudar.control.planning.table import Floats

HOUR_S = 3600.0


class LimitEntry(BaseModel):
    """`[[limit]]`: hours count from each period's start; quarter-hours in part inside count as inside."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    start_h: float = Field(ge=0)
    end_h: float = Field(gt=0)
    limit_mw: float = Field(ge=0)
    meter: Literal["import", "facility"] = "import"
    notice_h: float = Field(default=24.0, ge=0)  # known so long before its start
    periods: tuple[int, ...] = ()  # by index; () = all


@dataclass(frozen=True, slots=True)
class Announced:
    """A limit and from when on it is known [s of the period]."""

    ceiling: Ceiling
    known_s: float


def announced(entries: Sequence[LimitEntry], period: int) -> tuple[Announced, ...]:
    """The limits of one period, on whole quarter-hours."""
    return tuple(_announced(one) for one in entries if period in one.periods or not one.periods)


def _announced(entry: LimitEntry) -> Announced:
    start_s = float(np.floor(entry.start_h * HOUR_S / STEP_S)) * STEP_S
    end_s = float(np.ceil(entry.end_h * HOUR_S / STEP_S)) * STEP_S
    return Announced(
        Ceiling(entry.meter, start_s, end_s, entry.limit_mw * 1e6), start_s - entry.notice_h * HOUR_S
    )


def known(limits: Sequence[Announced], now_s: float) -> tuple[Ceiling, ...]:
    """Those that are announced by now and not over."""
    return tuple(one.ceiling for one in limits if one.known_s <= now_s < one.ceiling.end_s)


def strictest(limits: Sequence[Announced], meter: str, steps: int) -> Floats:
    """The limit of each step of a period [W]; inf where there is none."""
    begins_s, found = np.arange(steps) * STEP_S, np.full(steps, np.inf)
    for one in (given.ceiling for given in limits if given.ceiling.meter == meter):
        inside = (begins_s >= one.start_s) & (begins_s < one.end_s)
        found[inside] = np.minimum(found[inside], one.limit_w)
    return found


def metered(meter: str) -> pl.Expr:
    """What a meter reads, from the columns of `site` [W]."""
    names = ("urgent_w", "flexible_w", "cooling_w") if meter == FACILITY else ("import_w",)
    return pl.sum_horizontal(names)


def limit_series(settings: Mapping[str, Any], meter: str) -> pl.Series:
    """The limit of every step of a run, from its settings alone [W]."""
    entries = [LimitEntry.model_validate(one) for one in settings["scenario"].get("limit", ())]
    parts = [
        strictest(announced(entries, index), meter, period["steps"])
        for index, period in enumerate(settings["periods"])
    ]
    return pl.Series(np.concatenate([np.zeros(0), *parts]))
