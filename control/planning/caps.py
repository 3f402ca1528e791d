"""Which running jobs the plan's caps slow, and how the step's orders change by them. Pure."""

from dataclasses import replace

import numpy as np

from igoudar.control.planning.plan.segments import segments
from igoudar.control.planning.policy import Orders, View
from igoudar.control.planning.select import drawn_gpus
from igoudar.control.planning.urgency import slack_s

KEPT_S = 3600.0  # of slack: who has less runs at full power; our assumption


def lowered(view: View, orders: Orders, saved_w: float) -> Orders:
    """The orders with `saved_w` less flexible power [W], as far as jobs with slack can give it.

    However few they are, no cap goes below the plan's segments: there it costs more work than a stop.
    """
    curve = view.limits.cap_curve
    if saved_w <= 0.0 or not curve or not len(orders.run):
        return orders
    able = slack_s(view, orders.run) >= KEPT_S
    power_w = drawn_gpus(view, orders.run) * view.limits.gpu_w * able
    if not power_w.any():
        return orders
    least = max(curve[0][0], 1.0 - sum(width for width, _ in segments(curve)))
    ratio = max(least, 1.0 - saved_w / float(power_w.sum()))
    spared_w = float(power_w.sum()) * (1.0 - ratio)
    battery_w = None if orders.battery_w is None else orders.battery_w - spared_w * view.pue
    return replace(orders, battery_w=battery_w, power_ratio=np.where(able, ratio, 1.0))
