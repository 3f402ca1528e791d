"""The cooling of a step as the plant plays it: setpoint inside envelope and ramp, tank inside its size."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from igoudar.control.planning.cooling import HOURS, feasible, kept_wh, saved_w
from igoudar.control.planning.policy import Cooling, CoolingOrder, Orders, View
from igoudar.core.model_guard import RAMP_C_PER_H, THERMAL_C

LEAST_C, MOST_C = THERMAL_C["A2"]


class CoolingEntry(BaseModel):
    """`[cooling]` of a scenario: air at the racks' inlet, and a tank of chilled water.

    Sources: ASHRAE's recommended envelope ends at 27 degC and moves at most 20 degC an hour (5 with tape); a
    K warmer supply spares what a K cooler outdoors does: 0.07 of PUE over the 12 K from 15 to 27 degC in the
    lab's own curve; 1.03 is the least PUE of sites without chillers (SITE.md). Setpoint, COP and losses are
    our assumptions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    setpoint_c: float = Field(default=24.0, ge=LEAST_C, le=MOST_C)  # where the PUE is as given
    most_c: float = Field(default=27.0, ge=LEAST_C, le=MOST_C)
    pue_per_k: float = Field(default=0.0058, ge=0, le=0.1)
    least_pue: float = Field(default=1.03, ge=1)
    ramp_k_per_h: float = Field(default=RAMP_C_PER_H, gt=0, le=RAMP_C_PER_H)
    tank_mwh_th: float = Field(default=0.0, ge=0)
    tank_mw_th: float = Field(default=0.0, ge=0)
    cop: float = Field(default=5.0, gt=0.5, le=20)  # of what makes the cold
    tank_loss_pct_per_h: float = Field(default=0.5, ge=0, lt=100)


def cooling_of(entry: CoolingEntry | None) -> Cooling | None:
    """As the plan reckons: the tank in electricity."""
    if entry is None:
        return None
    return Cooling(
        per_k=entry.pue_per_k,
        warmer_k=max(0.0, entry.most_c - entry.setpoint_c),
        least_pue=entry.least_pue,
        ramp_k_per_h=entry.ramp_k_per_h,
        tank_wh=entry.tank_mwh_th * 1e6 / entry.cop,
        tank_w=entry.tank_mw_th * 1e6 / entry.cop,
        loss_per_h=entry.tank_loss_pct_per_h / 100.0,
    )


@dataclass(frozen=True, slots=True)
class Chilled:
    """The overhead of a step, and what the next one begins with."""

    cooling_w: float
    warmer_k: float = 0.0
    tank_wh: float = 0.0


def chilled(view: View, orders: Orders, it_w: float) -> Chilled:
    """As ordered, as far as it can be done; without an order the setpoint goes back and the tank rests."""
    plain_w = (view.pue - 1.0) * it_w
    cooling = view.limits.cooling
    if cooling is None:
        return Chilled(plain_w)
    return _played(cooling, view, orders.cooling or CoolingOrder(), it_w, plain_w)


def _played(cooling: Cooling, view: View, wish: CoolingOrder, it_w: float, plain_w: float) -> Chilled:
    done = feasible(cooling, wish, it_w, view.pue, view.warmer_k, view.tank_wh)
    relief_w = saved_w(cooling, done, it_w, view.pue) + done.tank_w
    held_wh = kept_wh(cooling, view.tank_wh) - done.tank_w * HOURS
    return Chilled(plain_w - relief_w, done.warmer_k, min(cooling.tank_wh, max(0.0, held_wh)))
