"""What an import limit asks of the battery: measured at the grid, corrected until it fits. Pure.

What is asked goes up or down by what the grid meter is over or under its target: a battery that gives a
little less than it is told leaves no lasting error. What was asked and is not on the meters yet counts as
done, and until it is, nothing is taken back. What other levers take off counts for the battery only once it
is metered: the battery fills in for them. While a limit holds and it is
not heard, what was asked of it stands.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from math import inf

from igoudar.control.demand_response.case import BatteryShare, Case
from igoudar.control.demand_response.levers import BatteryLever
from igoudar.control.demand_response.memory import Memory

LEAST_H = 0.25  # the stock is spread over at least so long
OBEYED = 0.9  # of what was asked of the battery, or it is believed no more
SWINGS = 2.0  # of the largest rise of late: one more comes before the answer to the first is metered
HALF_S = 300.0  # after which a rise that was seen counts half
MOST_RAMP_MIN = 0.5  # of the site's ramp is the most that is kept in reserve
SURE = 0.9  # of what lasts until the end is given to work that may go on
LOWERED = 1.5  # steps that what is asked must be too much before it is lowered


def battery_share(case: Case) -> BatteryShare:
    """The battery first, as far as it lasts until the end; before that, whatever is not covered yet."""
    bare_w, lever = _bare_w(case), usable(case)
    if bare_w is None:
        return BatteryShare()
    if lever is None:
        return BatteryShare(battery_wish(case, 0.0), over_w=bare_w)
    base_w, unseen_w = _base_w(case, lever)
    over_w = bare_w + (lever.now_w if _disobeys(case, lever) else base_w - unseen_w)
    most_w = min(_hard_w(lever), _believed_w(case, lever))
    lasting_w = min(most_w, _lasting_w(case, lever))
    given_w = min(max(0.0, over_w), lasting_w)
    room_w = max(0.0, SURE * lasting_w - given_w)
    return BatteryShare(battery_wish(case, 0.0), over_w, given_w, room_w, max(0.0, most_w - given_w))


def battery_wish(case: Case, more_w: float) -> float | None:
    """What it is asked for when so much more load comes with this answer; None = it is left alone."""
    bare_w, lever = _bare_w(case), usable(case)
    if bare_w is None or lever is None:
        return case.memory.battery_w if _mute(case) else None
    base_w, unseen_w = _base_w(case, lever)
    needed_w = base_w + bare_w - unseen_w - case.memory.unseen_relief_w + more_w
    if needed_w <= (0.0 if case.memory.battery_w is None else -case.calm_w):
        return None
    return _stepped(case, lever, min(max(0.0, needed_w), _hard_w(lever)))


def usable(case: Case) -> BatteryLever | None:
    """The battery, where an import limit holds and may use it."""
    return case.levers.battery if _allowed(case) else None


def _allowed(case: Case) -> bool:
    return case.limit.import_w is not None and "battery" in case.rules.levers


def _mute(case: Case) -> bool:
    return case.levers.battery_mute and _allowed(case) and case.limit.acting


def _bare_w(case: Case) -> float | None:
    """What the import is over its target, with what is commanded and not metered yet; the battery aside."""
    limit_w, import_w = case.limit.import_w, case.sight.import_w
    if limit_w is None or import_w is None:
        return None
    return import_w + case.memory.pending_import_w + case.levers.arriving_w - target_w(case, limit_w)


def target_w(case: Case, limit_w: float) -> float:
    """What the import is brought down to: under the limit by its margin and by what it may rise meanwhile."""
    lever = case.levers.battery
    least_w = lever.step_w / 4.0 if lever else 0.0
    return case.rules.target_w(limit_w) - max(least_w, SWINGS * case.memory.swing_w)


def swung(case: Case, memory: Memory) -> Memory:
    """The memory with how much the import rises by itself from one answer to the next."""
    limit_w, lever = case.limit.import_w, usable(case)
    unsteady = _mute(case) or (lever is not None and not _steady(case, lever))
    if limit_w is None or case.blind or unsteady:
        return memory
    free_w = case.battery.over_w + target_w(case, limit_w)
    elapsed_s = (case.now - memory.free_at).total_seconds() if memory.free_at else inf
    rise_w = free_w - memory.free_w if memory.free_w is not None and elapsed_s <= HALF_S else 0.0
    kept_w = memory.swing_w * 0.5 ** (elapsed_s / HALF_S)
    most_w = MOST_RAMP_MIN * case.rules.ramp_w_per_min / SWINGS
    return replace(memory, free_w=free_w, free_at=case.now, swing_w=min(most_w, max(kept_w, rise_w)))


def _base_w(case: Case, lever: BatteryLever) -> tuple[float, float]:
    """From where it is asked for more or less, and what of that the grid meter can't show yet."""
    asked_w, before_w = case.memory.battery_w, case.memory.battery_from_w
    if asked_w is None:
        return lever.now_w, 0.0
    if _on_meters(case, lever, case.memory.battery_moved_at):
        return asked_w, 0.0
    return asked_w, max(0.0, asked_w - before_w) if before_w is not None else 0.0


def _steady(case: Case, lever: BatteryLever) -> bool:
    """It does as asked, and both meters show it."""
    held = case.memory.battery_w is not None and not _disobeys(case, lever)
    return held and _on_meters(case, lever, case.memory.battery_moved_at)


def _on_meters(case: Case, lever: BatteryLever, since: datetime | None) -> bool:
    read = [at for at in (case.sight.read_at, lever.read_at) if at is not None]
    return since is None or bool(read and min(read) >= since + timedelta(seconds=case.rules.settle_s))


def _disobeys(case: Case, lever: BatteryLever) -> bool:
    """It has had time to answer and gives much less than was asked."""
    asked_w, since = case.memory.battery_w, case.memory.battery_at
    if asked_w is None or since is None or lever.now_w >= OBEYED * asked_w:
        return False
    return _on_meters(case, lever, since)


def _believed_w(case: Case, lever: BatteryLever) -> float:
    """Anything while it has obeyed or had no time to answer; else what it gives."""
    return max(0.0, lever.now_w) if _disobeys(case, lever) else inf


def _hard_w(lever: BatteryLever) -> float:
    return min(lever.most_w, lever.stored_wh / LEAST_H)


def _lasting_w(case: Case, lever: BatteryLever) -> float:
    hours = max(LEAST_H, (case.ends_at - case.now).total_seconds() / 3600.0)
    return min(lever.most_w, lever.stored_wh / hours)


def _stepped(case: Case, lever: BatteryLever, wish_w: float) -> float:
    """A wish that differs from what stands by as much as the units take notice of, rather too high."""
    asked_w = case.memory.battery_w
    if asked_w is None:
        return wish_w
    if wish_w > asked_w:
        return min(_hard_w(lever), max(wish_w, asked_w + lever.step_w))
    settled = _on_meters(case, lever, case.memory.battery_moved_at)
    lower = settled and wish_w < asked_w - LOWERED * lever.step_w
    return wish_w if lower else min(asked_w, _hard_w(lever))
