"""When a value is an alarm: limits with deadband and delays, pure."""

from dataclasses import dataclass
from datetime import datetime

from igoudar.core.model import AlarmRule


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a rule holds for one source, and since when the value has said otherwise."""

    active: bool = False
    differs_since: datetime | None = None
    high: bool = True  # which limit holds, or held last


def advance(rule: AlarmRule, condition: Condition, value: float | None, at: datetime) -> Condition:
    """The condition after one look at `value` [the point's unit].

    No value neither raises nor clears: silence has its own alarm.
    """
    if value is None:
        return condition
    high = rule.high is not None and value >= _bound(rule.high, -rule.deadband, condition, high=True)
    low = rule.low is not None and value <= _bound(rule.low, rule.deadband, condition, high=False)
    side = high if high or low else condition.high
    return _delayed(condition, high or low, side, at, rule.on_delay_s, rule.off_delay_s)


def _bound(limit: float, deadband: float, condition: Condition, *, high: bool) -> float:
    """An active limit is left only beyond its deadband."""
    return limit + deadband if condition.active and condition.high is high else limit


def _delayed(
    condition: Condition, holds: bool, high: bool, at: datetime, on_delay_s: float, off_delay_s: float
) -> Condition:
    if holds is condition.active:
        return Condition(condition.active, None, high if holds else condition.high)
    since = condition.differs_since or at
    delay_s = on_delay_s if holds else off_delay_s
    if (at - since).total_seconds() >= delay_s:
        return Condition(holds, None, high)
    return Condition(condition.active, since, condition.high)


def flag(condition: Condition, holds: bool, at: datetime, on_delay_s: float, off_delay_s: float) -> Condition:
    """A yes-or-no condition with the same delays."""
    return _delayed(condition, holds, True, at, on_delay_s, off_delay_s)
