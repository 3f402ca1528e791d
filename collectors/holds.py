"""What we have set and still answer for; what stays as written when we die is kept on disk."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from igoudar.collectors import wire
from igoudar.collectors.checks.pace import Place
from igoudar.core.durable import write_durably
from igoudar.core.model import Setpoint

LOG = logging.getLogger(__name__)

HOLDS_FILE = "holds.json"


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

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.wish.device, self.wish.point


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
    return [wire.pack_setpoint(held.wish), held.value, held.before, wire.pack_time(held.renewed_at)]


def _read(file: Path) -> list[Held]:
    """What an earlier collector left; a file that can't be used is told, not obeyed."""
    try:
        entries = json.loads(file.read_text())
        return [
            Held(wire.unpack_setpoint(w), float(value), float(before), False, wire.unpack_time(at))
            for w, value, before, at in entries
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        LOG.error("%s can't be read (%s): look at the setpoints on the devices", file, error)
        return []
