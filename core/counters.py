"""What a counter that only grows has counted between two readings: growth, rollover, reset or nonsense."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from igoudar.core.model import ModbusAddress, Point, Profile
from igoudar.core.units import unit_of

NEAR_END = 0.01  # without a limit on growth, a rollover spans at most this share of the modulus
SAME = 1e-6  # a counter sent as f32 may fall by this share of itself without having been reset


class Event(Enum):
    """What happened to a counter between two readings."""

    GROWTH = "growth"
    ROLLOVER = "rollover"  # it passed its modulus and went on
    RESET = "reset"  # it started anew at 0
    JUMP = "jump"  # it stands where it can't have counted to


class Step(NamedTuple):
    """What was counted for certain between two readings, in the counter's unit; never negative."""

    amount: float
    event: Event


@dataclass(frozen=True, slots=True)
class CounterRule:
    """What is known of a counter.

    `modulus` is where it starts again at 0 [its unit], inf when it is not known to. With `decimal` the
    counter's unit carries a power of ten that the device chooses, so that the modulus is the smallest
    `modulus` x 10^n above the last reading. `most_per_s` is the fastest that it can grow (rated power).
    """

    modulus: float = math.inf
    decimal: bool = False
    most_per_s: float = math.inf
    quantum: float = 0.0  # the smallest difference that it can show

    def modulus_at(self, value: float) -> float:
        """The modulus of a counter that stood at `value`."""
        if not self.decimal or not math.isfinite(self.modulus) or value <= 0:
            return self.modulus
        return self.modulus * 10.0 ** math.ceil(math.log10(value / self.modulus) - 1e-12)

    def most(self, value: float, elapsed_s: float) -> float:
        """The most that it can have counted in `elapsed_s`, from `value` on."""
        if math.isinf(self.most_per_s):
            return math.inf
        return self.most_per_s * max(elapsed_s, 0.0) + self.quantum + SAME * abs(value)


ANY = CounterRule()


def step(before: float, after: float, elapsed_s: float = math.inf, rule: CounterRule = ANY) -> Step:
    """What a counter counted from `before` to `after`.

    A rollover counts to the modulus and on. A reset counts what stands there after it, which is a lower
    bound. What can't have been counted in the time (JUMP) counts as nothing: energy is never invented.
    """
    most = rule.most(before, elapsed_s)
    grown = after - before
    if grown >= 0:
        return Step(grown, Event.GROWTH) if grown <= most else Step(0.0, Event.JUMP)
    if -grown <= max(rule.quantum, SAME * abs(before)):
        return Step(0.0, Event.GROWTH)
    wrapped = grown + rule.modulus_at(before)
    if 0 <= wrapped <= _most_wrapped(rule, most):
        return Step(wrapped, Event.ROLLOVER)
    if 0 <= after <= most:
        return Step(after, Event.RESET)
    return Step(0.0, Event.JUMP)


def energy(readings: Sequence[tuple[float, float]], rule: CounterRule = ANY) -> Step:
    """What was counted over readings (time [s], value), oldest first; the worst event on the way."""
    total, worst = 0.0, Event.GROWTH
    for (then, before), (now, after) in pairwise(readings):
        one = step(before, after, now - then, rule)
        total += one.amount
        worst = max(worst, one.event, key=list(Event).index)
    return Step(total, worst)


def counter_rule(profile: Profile, point: Point) -> CounterRule:
    """What a profile says of one of its counters.

    An unsigned register wraps at 2^bits unless the profile names a modulus of its own. An energy grows at
    most at the largest power that the profile finds plausible, unless it names a faster step.
    """
    modulus, decimal, quantum = _registers(point)
    fastest = point.max_step_per_s or _rated_per_s(profile, point)
    return CounterRule(point.modulus or modulus, decimal and not point.modulus, fastest, quantum)


def _registers(point: Point) -> tuple[float, bool, float]:
    """Modulus, whether it carries a power of ten, and resolution, as the registers have them."""
    address = point.address
    if not isinstance(address, ModbusAddress) or address.type[0] == "f":
        return math.inf, False, 0.0
    bits = int(address.type.lstrip("abcdefghijklmnopqrstuvwxyz"))
    scale = abs(address.scale)
    modulus = math.inf if address.type[0] == "i" else 2.0**bits * scale
    return modulus, address.scale_factor is not None, scale


def _rated_per_s(profile: Profile, point: Point) -> float:
    if unit_of(point.name) != "wh":
        return math.inf
    powers = [p.plausible[1] for p in profile.points.values() if p.plausible and unit_of(p.name) == "w"]
    return max(powers, default=math.inf) / 3600


def _most_wrapped(rule: CounterRule, most: float) -> float:
    """How far a counter may have gone around its end, -1 when it has none."""
    if not math.isfinite(rule.modulus):
        return -1.0
    return most if math.isfinite(most) else NEAR_END * rule.modulus
