"""What only the past can tell of a value: it stands still, it jumps, a counter starts anew.

Pure but for the memory of one device, which its poll carries from reading to reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from igoudar.collectors.drift import ClockWatch
from igoudar.collectors.readers import Values
from igoudar.core.counters import CounterRule, Event, counter_rule, step
from igoudar.core.model import Point, Profile, Quality, Reason

Flag = tuple[Quality, Reason]

FROZEN: Flag = (Quality.UNCERTAIN, Reason.FROZEN)
RESTARTED: Flag = (Quality.UNCERTAIN, Reason.COUNTER_RESET)
COUNTED = (Event.GROWTH, Event.ROLLOVER)


class Watch(NamedTuple):
    """What is watched of one point."""

    name: str
    counter: CounterRule | None
    max_step_per_s: float
    frozen_s: float


@dataclass(slots=True)
class Trace:
    """What is remembered of one point."""

    value: float  # the last one that counted
    at_s: float
    same_since_s: float
    doubted: tuple[float, float] | None = None  # value and time of one that was held back


def watches(profile: Profile) -> tuple[Watch, ...]:
    """The points of a profile that have a rule; most have none, and cost nothing."""
    return tuple(_watch(profile, point) for point in profile.points.values() if _ruled(point))


def _ruled(point: Point) -> bool:
    return point.counter or point.max_step_per_s > 0 or point.frozen_s > 0


def _watch(profile: Profile, point: Point) -> Watch:
    rule = counter_rule(profile, point) if point.counter else None
    return Watch(point.name, rule, point.max_step_per_s, point.frozen_s)


class Memory:
    """One device's past, as far as its profile's rules need it."""

    def __init__(self, profile: Profile) -> None:
        self.clock = ClockWatch()
        self._watches = watches(profile)
        self._profile = profile
        self._shortest_s = profile.period_s  # polls jitter; a value may move as far in less than a period
        self._traces: dict[str, Trace] = {}
        self._witnessed: tuple[object, ...] = ()
        self._same_since_s = 0.0
        self._idle = not (self._watches or profile.witnesses or profile.clock)

    def silence(self) -> None:
        """The device did not answer: nothing is known to have stood still meanwhile."""
        self._witnessed = ()
        for trace in self._traces.values():
            trace.same_since_s = float("inf")

    def judge(self, answer: Values, at: datetime) -> Values:
        """The answer with what the past says of it; bad values are taken out."""
        if self._idle:
            return answer
        at_s = at.timestamp()
        values, flags = dict(answer.values), dict(answer.flags)
        for watch in self._watches:
            flag = self._flag(watch, values, at_s)
            if flag is not None:
                flags[watch.name] = flag
                if flag[0] is Quality.BAD:
                    del values[watch.name]
        if self._stands_still(values, at_s):
            flags = {**dict.fromkeys(values, FROZEN), **flags}
        return Values(values, flags, self._source_at(values, answer.source_at, at_s))

    def _flag(self, watch: Watch, values: Mapping[str, float], at_s: float) -> Flag | None:
        value = values.get(watch.name)
        if value is None:
            return None
        trace = self._traces.get(watch.name)
        if trace is None:
            self._traces[watch.name] = Trace(value, at_s, at_s)
            return None
        flag = self._moved(watch, trace, value, at_s)
        if flag is not None and flag[0] is Quality.BAD:
            trace.doubted = (value, at_s)
            return flag
        _accept(trace, value, at_s)
        return flag or _stood(watch, trace, at_s)

    def _moved(self, watch: Watch, trace: Trace, value: float, at_s: float) -> Flag | None:
        """Doubt what can't have moved so far; believe it when the next reading says the same."""
        event = _event(watch, trace.value, value, max(at_s - trace.at_s, self._shortest_s))
        if event in COUNTED:
            return None
        if trace.doubted is not None:
            doubted, then_s = trace.doubted
            if _event(watch, doubted, value, max(at_s - then_s, self._shortest_s)) in COUNTED:
                return RESTARTED if watch.counter else None
        return Quality.BAD, Reason.COUNTER_RESET if event is Event.RESET else Reason.STEP

    def _stands_still(self, values: Mapping[str, float], at_s: float) -> bool:
        """Whether all witnesses have been bit-identical for too long."""
        if not self._profile.witnesses:
            return False
        seen = tuple(values.get(name) for name in self._profile.witnesses)
        if seen != self._witnessed or not any(value is not None for value in seen):
            self._witnessed, self._same_since_s = seen, at_s
        return at_s - self._same_since_s >= self._profile.frozen_s

    def _source_at(
        self, values: Mapping[str, float], source_at: datetime | None, at_s: float
    ) -> datetime | None:
        told = values.get(self._profile.clock)
        if told is not None:
            source_at = datetime.fromtimestamp(told, UTC)
        if source_at is not None:
            self.clock.note(at_s, source_at.timestamp())
        return source_at


def _event(watch: Watch, before: float, after: float, elapsed_s: float) -> Event:
    if watch.counter is not None:
        return step(before, after, elapsed_s, watch.counter).event
    if watch.max_step_per_s and abs(after - before) > watch.max_step_per_s * elapsed_s:
        return Event.JUMP
    return Event.GROWTH


def _accept(trace: Trace, value: float, at_s: float) -> None:
    if value != trace.value or trace.same_since_s > at_s:
        trace.same_since_s = at_s
    trace.value, trace.at_s, trace.doubted = value, at_s, None


def _stood(watch: Watch, trace: Trace, at_s: float) -> Flag | None:
    return FROZEN if watch.frozen_s and at_s - trace.same_since_s >= watch.frozen_s else None
