"""What a person must know of commands: points that do not move, hands-off left on, a balking collector."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from igoudar.control.actuation.guard.view import Fault, Slot
from igoudar.control.actuation.mandate import Mandate
from igoudar.control.actuation.memory import Memory
from igoudar.control.alarms.watch import Conditions, Signal, standing
from igoudar.control.picture import Picture
from igoudar.core import handsoff

SCHEDULER = "scheduler"
FAILED_PRIORITY, HANDS_OFF_PRIORITY, BALKS_PRIORITY = 2, 3, 1
BALKS_S = 60.0  # site time: a collector that is restarted is no alarm


@dataclass(slots=True)
class Troubles:
    """Tells the alarm engine in each cycle."""

    site: str
    state: Path
    memory: Memory
    mandate: Mandate
    _known: set[str] = field(default_factory=set)

    def signals(self, picture: Picture, before: Conditions) -> Iterator[Signal]:
        """What the alarm engine follows."""
        faults = {_source(key): fault for key, fault in self.memory.faults.items()}
        for source in self._known | set(faults):
            yield _failed(source, faults.get(source), picture, before)
        self._known = set(faults)
        said = handsoff.read(self.state)
        site, at = self.site, picture.at
        words: dict[str, object] = {"who": said.who if said else "", "why": said.why if said else ""}
        yield standing("hands_off", site, HANDS_OFF_PRIORITY, bool(said), at, before, words)
        why: dict[str, object] = {"why": self.mandate.trouble}
        balks = bool(self.mandate.trouble) and self.mandate.lease.held()
        yield standing("collector_balks", site, BALKS_PRIORITY, balks, at, before, why, BALKS_S)


def _failed(source: str, fault: Fault | None, picture: Picture, before: Conditions) -> Signal:
    params: dict[str, object] = {} if fault is None else {"why": fault.detail, "count": fault.count}
    return standing("command_failed", source, FAILED_PRIORITY, fault is not None, picture.at, before, params)


def _source(key: Slot) -> str:
    """A point by its name; all jobs together are their scheduler's."""
    target, point = key
    return f"{target} {point}" if point else SCHEDULER
