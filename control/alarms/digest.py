"""From raised alarms to few notifications: one per group and window, repeats kept quiet. No I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.control.alarms.alarm import Alarm

GROUP_WINDOW_S = 60.0  # at most one page per group within it (EEMUA 191 flood figures in CONTROL_SAFETY.md)
REPEAT_WINDOW_S = 600.0  # the same alarm again within it is a repeat: counted, not announced


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification: the group's alarms that it announces, worst first."""

    at: datetime
    group: str
    alarms: tuple[Alarm, ...]

    @property
    def priority(self) -> int:
        """The worst of them."""
        return min(alarm.priority for alarm in self.alarms)


@dataclass(slots=True)
class Digest:
    """Remembers what was announced when; windows in site time [s]."""

    group_window_s: float = GROUP_WINDOW_S
    repeat_window_s: float = REPEAT_WINDOW_S
    _announced: dict[str, datetime] = field(default_factory=dict)  # alarm id -> when
    _groups: dict[str, datetime] = field(default_factory=dict)
    _pending: dict[str, dict[str, Alarm]] = field(default_factory=dict)

    def take(self, raised: Sequence[Alarm], at: datetime) -> list[Notice]:
        """The notices due now: for what was raised, and for what a group's window held back."""
        for alarm in raised:
            if not self._within(self._announced.get(alarm.id), at, self.repeat_window_s):
                self._pending.setdefault(alarm.group, {})[alarm.id] = alarm
        due = [g for g in self._pending if not self._within(self._groups.get(g), at, self.group_window_s)]
        return [self._announce(group, at) for group in due]

    def _announce(self, group: str, at: datetime) -> Notice:
        alarms = self._pending.pop(group)
        self._groups[group] = at
        self._announced.update(dict.fromkeys(alarms, at))
        worst_first = sorted(alarms.values(), key=lambda alarm: (alarm.priority, alarm.source))
        return Notice(at, group, tuple(worst_first))

    @staticmethod
    def _within(last: datetime | None, at: datetime, window_s: float) -> bool:
        return last is not None and (at - last).total_seconds() < window_s
