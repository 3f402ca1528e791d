"""One alarm: what, where, how bad, and its life."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2s

from igoudar.control.alarms.states import Life
from igoudar.core.model import AlarmRule


@dataclass(frozen=True, slots=True)
class Alarm:
    """`code` and `source` identify it; `group` says whom it is announced together with."""

    code: str  # key in the alarms catalogue
    source: str
    priority: int  # 1 highest .. 3
    group: str
    params: dict[str, object] = field(default_factory=dict)
    life: Life = field(default_factory=Life)

    @property
    def id(self) -> str:
        """Short and stable, for people to type."""
        return blake2s(f"{self.code}\0{self.source}".encode(), digest_size=4).hexdigest()


def temperature_stands(rules: Iterable[AlarmRule], alarms: Iterable[Alarm]) -> bool:
    """Whether any alarm of a temperature is active."""
    codes = {rule.code for rule in rules if rule.point.endswith("_c")}
    return any(alarm.life.active and alarm.code in codes for alarm in alarms)
