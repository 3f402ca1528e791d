"""What we have set and still answer for; what stays as written when we die is kept on disk."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from igoudar.collectors import wire
from igoudar.collectors.checks.deadband import same
from igoudar.collectors.checks.pace import Place
from igoudar.collectors.results import Error, Partial, Result, Success
from igoudar.core.durable import write_durably
from igoudar.core.model import Setpoint

LOG = logging.getLogger(__name__)

HOLDS_FILE = "holds.json"
MOST_OTHERS = 8


@dataclass(frozen=True, slots=True)
class Held:
    """One setpoint that stands on a device by our doing."""

    wish: Setpoint  # the last one
    value: float  # as the device holds it
    before: float  # what stood there before our first write
    timed: bool  # a reversion timer takes it back without us
    renewed_at: datetime  # site time of the last write or renewal
    timer_s: float = 0.0  # what its timer was armed with, site time; 0 = it has none
    renewed_cycle: tuple[int, int] = (0, 0)  # epoch and cycle of the control loop at that time
    failures: int = 0  # of giving it back
    others: tuple[float, ...] = ()  # what else may stand there by our doing: a write whose end is not known

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.wish.device, self.wish.point

    @property
    def values(self) -> tuple[float, ...]:
        """All that may stand there by our doing; the likeliest first."""
        return self.value, *self.others

    def ours(self, shown: float) -> bool:
        """Whether what the device shows is of our doing."""
        return any(same(shown, value) for value in self.values)

    def after(self, result: Result) -> "Held":
        """What we answer for once a write has ended so."""
        if isinstance(result, Success | Partial):
            return replace(self, value=result.value, others=())
        if isinstance(result, Error) and result.held is not None:  # rounded, or not there yet
            return replace(self, others=(result.held,))
        return self

    def instead_of(self, earlier: "Held | None") -> "Held":
        """The same, while what was set before it may still stand."""
        if earlier is None:
            return self
        others = dict.fromkeys(value for value in earlier.values if not same(value, self.value))
        return replace(self, others=tuple(others)[:MOST_OTHERS])


class Holds:
    """The setpoints that we hold, by place.

    Args:
        state: The folder of `holds.json`, which has those without a reversion timer.
    """

    def __init__(self, state: Path) -> None:
        self._file = state / HOLDS_FILE
        self._held = {held.place: held for held in _read(self._file)}
        self._turn, self._disk = asyncio.Lock(), threading.Lock()
        self._changes = 0
        self.lost = 0  # setpoints that somebody else changed, or that could not be given back

    def __iter__(self) -> Iterator[Held]:
        return iter(tuple(self._held.values()))

    def __len__(self) -> int:
        return len(self._held)

    def at(self, place: Place) -> Held | None:
        """What we hold there."""
        return self._held.get(place)

    def of(self, device: str) -> list[Held]:
        """What we hold on one device."""
        return [held for held in self._held.values() if held.wish.device == device]

    async def announce(self, held: Held) -> bool:
        """Answer for `held` before it is written, power cuts included; False when it can't be noted."""
        async with self._turn:
            noted = -1
            while noted != self._changes:  # others change while the disk is waited for
                noted = self._changes
                try:
                    await asyncio.to_thread(self._sync, _content({**self._held, held.place: held}))
                except OSError as error:
                    LOG.error("%s can't be written: nothing without a timer is set: %s", self._file, error)
                    return False
            self._held[held.place] = held
            self._changes += 1
        return True

    def put(self, held: Held) -> None:
        """Answer for `held` from now on."""
        before = self._held.get(held.place)
        self._held[held.place] = held
        if not (held.timed and (before is None or before.timed)):
            self._keep()

    def drop(self, held: Held, *, lost: bool = False) -> None:
        """Answer for it no more."""
        gone = self._held.pop(held.place, None)
        self.lost += lost
        if gone is not None and not gone.timed:
            self._keep()

    def _sync(self, content: str) -> None:
        with self._disk:
            write_durably(self._file, content.encode())

    def _keep(self) -> None:
        """It reaches the kernel at once: a killed process loses nothing; no write waits for the disk."""
        self._changes += 1
        part = self._file.with_suffix(".part")
        try:
            part.write_text(_content(self._held))
            part.rename(self._file)
        except OSError as error:
            LOG.error("%s can't be written: a restart will not give back what was set: %s", self._file, error)


def _content(held: Mapping[Place, Held]) -> str:
    return json.dumps([_packed(each) for each in held.values() if not each.timed])


def _packed(held: Held) -> list[object]:
    at = wire.pack_time(held.renewed_at)
    return [wire.pack_setpoint(held.wish), held.value, held.before, at, *held.others]


def _read(file: Path) -> list[Held]:
    """What an earlier collector left; a file that can't be used is told, not obeyed."""
    try:
        entries = json.loads(file.read_text())
        return [_unpacked(*entry) for entry in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        LOG.error("%s can't be read (%s): look at the setpoints on the devices", file, error)
        return []


def _unpacked(wish: wire.Frame, value: float, before: float, at: int, *others: float) -> Held:
    held = Held(wire.unpack_setpoint(wish), float(value), float(before), False, wire.unpack_time(at))
    return replace(held, others=tuple(map(float, others)))
