"""Plays one period with one policy, step by step, and keeps what happened."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from igoudar.control.planning.policy import STEP_S, Forecast, Limits, Orders, Policy, View
from igoudar.control.planning.table import Fleet, Floats, Integers
from igoudar.lab import jobs
from igoudar.lab.chill import Chilled, chilled
from igoudar.lab.events import known
from igoudar.lab.periods import FIRST_CHARGE, Period
from igoudar.lab.power import HOURS, Balance, balance

Forecaster = Callable[[int], Forecast]
COLUMNS = (
    *("pv_w", "wind_w", "urgent_w", "flexible_w", "cooling_w", "battery_w", "soc_wh", "import_w", "export_w"),
    *("curtailed_w", "desalination_w", "electrolyser_w", "pue"),
)


@dataclass(slots=True)
class Played:
    """What happened: the site per step, who ran with what power, where the jobs ended."""

    site: dict[str, Floats]
    fleet: Fleet | None  # None: no jobs were placed (the bound)
    schedule_step: list[Integers] = field(default_factory=list)
    schedule_row: list[Integers] = field(default_factory=list)
    schedule_power_w: list[Floats] = field(default_factory=list)
    solve_s: list[float] = field(default_factory=list)
    cold: list[Chilled] = field(default_factory=list)


@dataclass(slots=True)
class Day:
    """What the flexible loads have taken since midnight [Wh]."""

    desalinated_wh: float = 0.0
    electrolysed_wh: float = 0.0


def play(period: Period, limits: Limits, policy: Policy, forecaster: Forecaster | None = None) -> Played:
    """One period from its first step to its last.

    Raises:
        CommandError: the policy ordered what the plant can't do.
    """
    fleet = Fleet.fresh(len(period.jobs))
    played = Played({name: np.zeros(period.steps) for name in COLUMNS}, fleet)
    soc_wh, peak_w, day, cold = FIRST_CHARGE * limits.battery_wh, 0.0, Day(), Chilled(0.0)
    for step in range(period.steps):
        jobs.submit(fleet, period.jobs, step * STEP_S)
        view = _view(period, limits, fleet, step, soc_wh, peak_w, day, forecaster)
        view = replace(view, warmer_k=cold.warmer_k, tank_wh=cold.tank_wh)
        orders = policy.decide(view)
        closed, cold = _step(played, view, orders)
        soc_wh, peak_w = closed.soc_wh, max(peak_w, closed.import_w)
        day = _next_day(day, played.site, step)
    return played


def _view(
    period: Period,
    limits: Limits,
    fleet: Fleet,
    step: int,
    soc_wh: float,
    peak_w: float,
    day: Day,
    forecaster: Forecaster | None,
) -> View:
    return View(
        step=step,
        now_s=step * STEP_S,
        time=period.start + timedelta(seconds=step * STEP_S),
        period_end_s=period.end_s,
        limits=limits,
        jobs=period.jobs,
        fleet=fleet,
        active=jobs.active(fleet),
        pv_w=float(period.pv_w[step]),
        wind_w=float(period.wind_w[step]),
        urgent_w=float(period.urgent_w[step]),
        pue=float(period.pue[step]),
        soc_wh=soc_wh,
        peak_import_w=peak_w,
        desalinated_wh=day.desalinated_wh,
        electrolysed_wh=day.electrolysed_wh,
        forecast=forecaster(step) if forecaster else None,
        ceilings=known(period.limits, step * STEP_S),
    )


def _step(played: Played, view: View, orders: Orders) -> tuple[Balance, Chilled]:
    order = np.argsort(orders.run)
    run, ratio = orders.run[order], None if orders.power_ratio is None else orders.power_ratio[order]
    jobs.check(view, run, ratio)
    running = jobs.follow(view, run, ratio)
    flexible_w = float(running.power_w.sum())
    cold = chilled(view, orders, view.urgent_w + flexible_w)
    desalination_w, electrolyser_w = _drives_w(view, orders)
    load_w = view.urgent_w + flexible_w + cold.cooling_w + desalination_w + electrolyser_w
    closed = balance(view, load_w, orders.battery_w)
    row = {
        "pv_w": view.pv_w,
        "wind_w": view.wind_w,
        "urgent_w": view.urgent_w,
        "flexible_w": flexible_w,
        "cooling_w": cold.cooling_w,
        "battery_w": closed.battery_w,
        "soc_wh": closed.soc_wh,
        "import_w": closed.import_w,
        "export_w": closed.export_w,
        "curtailed_w": closed.curtailed_w,
        "desalination_w": desalination_w,
        "electrolyser_w": electrolyser_w,
        "pue": view.pue if view.limits.cooling is None else _pue(view, flexible_w, cold),
    }
    for name, value in row.items():
        played.site[name][view.step] = value
    played.schedule_step.append(np.full(len(run), view.step))
    played.schedule_row.append(run)
    played.schedule_power_w.append(running.power_w)
    if orders.solve_s is not None:
        played.solve_s.append(orders.solve_s)
    played.cold.append(cold)
    return closed, cold


def _pue(view: View, flexible_w: float, cold: Chilled) -> float:
    """As it came out."""
    it_w = view.urgent_w + flexible_w
    return 1.0 + cold.cooling_w / it_w if it_w else view.pue


def _drives_w(view: View, orders: Orders) -> tuple[float, float]:
    """Desalination and electrolyser: as ordered within the day's quantity, which is met by midnight."""
    limits, left_h = view.limits, 24.0 - (view.now_s % 86_400.0) / 3600.0
    return (
        drive_w(
            limits.desalination_w,
            limits.desalination_daily_wh - view.desalinated_wh,
            left_h,
            orders.desalination_w,
        ),
        drive_w(
            limits.electrolyser_w,
            limits.electrolyser_daily_wh - view.electrolysed_wh,
            left_h,
            orders.electrolyser_w,
        ),
    )


def drive_w(rated_w: float, owed_wh: float, left_h: float, ordered_w: float | None) -> float:
    """Power of a load with a daily quantity [W]: even over the day, or as ordered but never too late."""
    if ordered_w is None:
        return max(0.0, min(rated_w, owed_wh / left_h))
    needed_w = (owed_wh - rated_w * (left_h - HOURS)) / HOURS  # what can't be made up afterwards
    return max(0.0, min(rated_w, owed_wh / HOURS, max(ordered_w, needed_w)))


def _next_day(day: Day, site: dict[str, Floats], step: int) -> Day:
    if (step + 1) * STEP_S % 86_400.0 == 0:
        return Day()
    return Day(
        day.desalinated_wh + site["desalination_w"][step] * HOURS,
        day.electrolysed_wh + site["electrolyser_w"][step] * HOURS,
    )
