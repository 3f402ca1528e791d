"""How well the meters agree with each other."""


def balance_error(supplied_wh: float, used_wh: float) -> float | None:
    """Share of the supplied energy that the meters do not find again, None when nothing was supplied.

    Args:
        supplied_wh: On-site generation, grid import and battery discharge in one window [Wh].
        used_wh: Loads, grid export and battery charge in the same window [Wh].

    Source: INTERFACES.md, KPI boundary (`metered_balance_error`).
    """
    return abs(supplied_wh - used_wh) / supplied_wh if supplied_wh > 0 else None
