"""The authority that the collector obeys just now, by its own clock, and the highest epoch it ever saw."""

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path

from igoudar.collectors.authority import OBSERVE, Authority
from igoudar.core.durable import write_durably
from igoudar.core.errors import CommandError

EPOCH_FILE = "epoch"
TURNS = 3
LEAST_PATIENCE_S = 2.0  # wall: a busy host delays a turn


class Mandate:
    """Takes authorities, and says whether one is valid at this moment.

    Args:
        state: The folder of the file `epoch`.
        monotonic: CLOCK_MONOTONIC [s].
    """

    def __init__(self, state: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._file, self._monotonic = state / EPOCH_FILE, monotonic
        self.epoch = _kept(self._file)  # the highest ever seen
        self.authority: Authority | None = None
        self.deadline_s = -math.inf  # monotonic: from then on the authority is worth nothing
        self.advanced_s = -math.inf  # monotonic: when the control loop last showed a new cycle
        self.turned = asyncio.Event()  # set with every authority; whoever waits clears it
        self._turn_s = math.inf  # what the loop's last turn took

    def take(self, authority: Authority) -> None:
        """Obey `authority` from now on.

        Raises:
            CommandError: a later holder has been seen, or the new epoch can't be kept.
        """
        if authority.epoch < self.epoch:
            what = f"epoch {authority.epoch} of {authority.holder} has been taken over by epoch {self.epoch}"
            raise CommandError(what, where="collector", fix="take the lease anew before you write")
        if self.authority is not None and self._rival(self.authority, authority):
            what = f"{authority.holder} comes with the epoch of {self.authority.holder}"
            raise CommandError(what, where="collector", fix="let one of them go, and the other start anew")
        if authority.epoch > self.epoch:
            self._keep(authority.epoch)
        self._note(authority)
        self.turned.set()

    def _keep(self, epoch: int) -> None:
        """On disk before it is obeyed: after a restart, too, nobody older is."""
        try:
            write_durably(self._file, str(epoch).encode())
        except OSError as error:
            what, fix = f"the new epoch can't be kept ({error.strerror})", "check free space and permissions"
            raise CommandError(what, where=str(self._file), fix=fix) from error
        self.epoch = epoch

    @staticmethod
    def _rival(before: Authority, authority: Authority) -> bool:
        return before.epoch == authority.epoch and before.holder != authority.holder

    def _note(self, authority: Authority) -> None:
        now_s, before = self._monotonic(), self.authority
        if before is None or (authority.epoch, authority.cycle) > (before.epoch, before.cycle):
            self._turn_s, self.advanced_s = now_s - self.advanced_s, now_s
        ends_s = now_s + authority.lease_s
        self.deadline_s = ends_s if authority.deadline_s is None else min(ends_s, authority.deadline_s)
        self.authority = authority

    @property
    def valid(self) -> bool:
        """Whether somebody may write at this very moment."""
        return self._monotonic() < self.deadline_s

    @property
    def lost_s(self) -> float:
        """How long ago the authority ended [s]; negative while it is valid."""
        return self._monotonic() - self.deadline_s

    @property
    def cycle(self) -> tuple[int, int]:
        """Epoch and cycle of the control loop, as it last showed them."""
        return (self.authority.epoch, self.authority.cycle) if self.authority else (0, 0)

    @property
    def turning(self) -> bool:
        """Whether the control loop turns: a new cycle came within three of its turns and within the lease."""
        if self.authority is None or not self.valid:
            return False
        patience_s = min(max(TURNS * self._turn_s, LEAST_PATIENCE_S), self.authority.lease_s)
        return self._monotonic() - self.advanced_s <= patience_s

    def mode(self, actuator: str) -> str:
        """The mode of an actuator class; observe unless a valid authority says otherwise."""
        if self.authority is None or not self.valid:
            return OBSERVE
        return self.authority.modes.get(actuator, OBSERVE)


def _kept(file: Path) -> int:
    try:
        return int(file.read_text())
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        raise CommandError(
            f"the epoch that was obeyed last can't be read ({error})",
            where=str(file),
            fix="write the highest epoch of the control hosts into it",
        ) from error
