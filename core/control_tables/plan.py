"""`[plan]`: what the plan keeps in reserve, and what it may touch."""

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field

from igoudar.core.errors import ConfigError
from igoudar.core.model import Device
from igoudar.core.model_guard import RAMP_C_PER_H
from igoudar.core.model_plan import Planning, WarmerSupply
from igoudar.core.site_words import PowerW, Table, Words

SETPOINT = "setpoint_c"


class CoolingTable(Table):
    """`[plan.cooling]`: the setpoint as it stands, and how the plan may move it."""

    kind: Literal["chiller", "cdu", "cooling_plant"] = "chiller"
    setpoint_c: float = Field(ge=0, le=60)
    most_c: float = Field(ge=0, le=60)
    pue_per_k: float = Field(default=0.0058, gt=0, le=0.1)
    least_pue: float = Field(default=1.03, ge=1)
    ramp_k_per_h: float = Field(default=RAMP_C_PER_H, gt=0, le=RAMP_C_PER_H)
    source: Words = ""


class PlanTable(Table):
    """The whole table; every figure has a default, which changes nothing."""

    reserve: PowerW = 0.0
    reserve_share: float = Field(default=0.0, ge=0, le=2)
    caps: bool = False
    pauses: bool = False
    cooling: CoolingTable | None = None
    source: Words = ""


def planning(table: PlanTable) -> Planning:
    """The model of `[plan]`."""
    return Planning(table.reserve, table.reserve_share, table.caps, table.pauses, _warmer(table.cooling))


def _warmer(table: CoolingTable | None) -> WarmerSupply | None:
    return WarmerSupply(**table.model_dump(exclude={"source"})) if table else None


def check_plan(
    table: PlanTable, devices: Iterable[Device], ramp_k_per_h: float, where: str
) -> Iterator[ConfigError]:
    """What is wrong with `[plan.cooling]`; `ramp_k_per_h` is the guard's."""
    cooling, origin = table.cooling, f"{where}: plan.cooling"
    if cooling is None:
        return
    width_k, most_k = cooling.most_c - cooling.setpoint_c, min(ramp_k_per_h, cooling.ramp_k_per_h)
    if not 0 < width_k <= most_k:
        fix = "a setpoint that nobody keeps any more is given back at once, which the ramp has to allow"
        what = f"most_c has to be above setpoint_c, by {most_k:g} K at most"
        yield ConfigError(what, where=f"{origin}.most_c", fix=fix)
    if not any(device.kind == cooling.kind and SETPOINT in device.allow for device in devices):
        what = f"no {cooling.kind} allows its setpoint_c to be written"
        fix = 'name one, or give a device `allow = ["setpoint_c"]`'
        yield ConfigError(what, where=f"{origin}.kind", fix=fix)
