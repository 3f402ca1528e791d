"""Points with a period of their own: between two of their turns they stand beside the newest fast ones."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from igoudar.core.model import Device, Profile, Reading


class SlowRule(NamedTuple):
    """Which points of a device are slow, and how long one reading of them counts (site time)."""

    points: frozenset[str]
    lasting: timedelta


def slow_rules(
    devices: Iterable[Device], profiles: Mapping[str, Profile], missed: int
) -> Mapping[str, SlowRule]:
    """The rule of every device that has slow points; they last for `missed` of their periods."""
    rules = {
        name: SlowRule(points, timedelta(seconds=missed * profile.slow_period_s))
        for name, profile in profiles.items()
        if (points := frozenset(p.name for p in profile.points.values() if p.slow))
    }
    return {device.name: rules[device.profile] for device in devices if device.profile in rules}


class SlowPoints:
    """Keeps each device's newest reading of its slow points."""

    def __init__(self, rules: Mapping[str, SlowRule]) -> None:
        self._rules = rules
        self._kept: dict[str, Reading] = {}

    def beside(self, reading: Reading) -> Reading:
        """The reading with the slow points that were read before it, while they count.

        A gap forgets them: what was read before a failure is not shown after it.
        """
        rule = self._rules.get(reading.device)
        if rule is None:
            return reading
        if reading.gap is not None:
            self._kept.pop(reading.device, None)
            return reading
        if not rule.points.isdisjoint(reading.values) or not rule.points.isdisjoint(reading.flags):
            self._kept[reading.device] = _only(reading, rule.points)
            return reading
        kept = self._kept.get(reading.device)
        if kept is None or reading.at - kept.at > rule.lasting:
            return reading
        return replace(
            reading, values={**kept.values, **reading.values}, flags={**kept.flags, **reading.flags}
        )


def _only(reading: Reading, points: frozenset[str]) -> Reading:
    values = {name: value for name, value in reading.values.items() if name in points}
    flags = {name: flag for name, flag in reading.flags.items() if name in points}
    return replace(reading, values=values, flags=flags)
