"""The electrical side of a step: battery, grid and curtailment close the balance exactly."""

from dataclasses import dataclass

from igoudar.control.planning.policy import STEP_S, Limits, View

HOURS = STEP_S / 3600.0


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the power of a step went, step means [W]; import and export are never both."""

    battery_w: float  # positive = discharge
    soc_wh: float  # at the end of the step
    import_w: float
    export_w: float
    curtailed_w: float


def local_battery_w(limits: Limits, surplus_w: float) -> float:
    """The converter's own rule: charge on surplus, discharge on deficit [W], whatever its charge."""
    return max(-limits.battery_w, min(limits.battery_w, -surplus_w))


def feasible_battery_w(limits: Limits, soc_wh: float, wanted_w: float) -> float:
    """`wanted_w` inside power and charge; efficiency counts each way on the AC side."""
    most_out_w = max(0.0, soc_wh - limits.soc_min_wh) * limits.efficiency / HOURS
    most_in_w = max(0.0, limits.soc_max_wh - soc_wh) / limits.efficiency / HOURS
    return max(-min(limits.battery_w, most_in_w), min(limits.battery_w, most_out_w, wanted_w))


def charge_after_wh(limits: Limits, soc_wh: float, battery_w: float) -> float:
    """State of charge after one step of `battery_w`."""
    moved_wh = battery_w * HOURS
    after = soc_wh - (moved_wh / limits.efficiency if moved_wh > 0 else moved_wh * limits.efficiency)
    return min(limits.soc_max_wh, max(limits.soc_min_wh, after))


def balance(view: View, load_w: float, ordered_w: float | None) -> Balance:
    """Close one step: `load_w` is everything but battery and export."""
    limits, surplus_w = view.limits, view.pv_w + view.wind_w - load_w
    wanted_w = local_battery_w(limits, surplus_w) if ordered_w is None else ordered_w
    battery_w = feasible_battery_w(limits, view.soc_wh, wanted_w)
    rest_w = surplus_w + battery_w
    export_w = min(max(0.0, rest_w), limits.export_limit_w)
    return Balance(
        battery_w,
        charge_after_wh(limits, view.soc_wh, battery_w),
        max(0.0, -rest_w),
        export_w,
        max(0.0, rest_w) - export_w,
    )
