"""What the plan's cooling asks of the plant in one step, and how the battery follows. Pure."""

from dataclasses import replace

import numpy as np

from igoudar.control.planning.policy import STEP_S, Cooling, CoolingOrder, Orders, View

HOURS = STEP_S / 3600.0


def cooled(view: View, orders: Orders, it_w: float, warm_w: float, tank_w: float) -> Orders:
    """The orders with a warmer supply and the tank as planned; the battery gives what is spared less."""
    cooling = view.limits.cooling
    if cooling is None:
        return orders
    wish = CoolingOrder(warm_w / (cooling.per_k * it_w) if it_w and cooling.per_k else 0.0, tank_w)
    done = feasible(cooling, wish, it_w, view.pue, view.warmer_k, view.tank_wh)
    relief_w = saved_w(cooling, done, it_w, view.pue) + done.tank_w
    battery_w = None if orders.battery_w is None else orders.battery_w - relief_w
    return replace(orders, battery_w=battery_w, cooling=done)


def feasible(
    cooling: Cooling, wish: CoolingOrder, it_w: float, pue: float, warmer_k: float, tank_wh: float
) -> CoolingOrder:
    """What of a wish the plant can do in a step: envelope, ramp, what the tank holds, the least overhead."""
    ramp_k = cooling.ramp_k_per_h * HOURS
    warm_k = float(np.clip(wish.warmer_k, warmer_k - ramp_k, warmer_k + ramp_k))
    warm_k = min(cooling.warmer_k, max(0.0, warm_k))
    warm = CoolingOrder(warm_k, 0.0)
    left_w = max(0.0, (pue - cooling.least_pue) * it_w) - saved_w(cooling, warm, it_w, pue)
    held_wh = kept_wh(cooling, tank_wh)
    most_w = max(0.0, min(cooling.tank_w, held_wh / HOURS, left_w))
    least_w = -max(0.0, min(cooling.tank_w, (cooling.tank_wh - held_wh) / HOURS))
    return CoolingOrder(warm_k, float(np.clip(wish.tank_w, least_w, most_w)))


def saved_w(cooling: Cooling, order: CoolingOrder, it_w: float, pue: float) -> float:
    """Overhead that a warmer supply saves."""
    return max(0.0, min(cooling.per_k * order.warmer_k, pue - cooling.least_pue)) * it_w


def kept_wh(cooling: Cooling, tank_wh: float) -> float:
    """What a step leaves of the tank's cold."""
    return tank_wh * float((1.0 - cooling.loss_per_h) ** HOURS)
