"""What control watches of itself: the audit's disks, the wall clock, and whether the lease is ours."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from igoudar.control.alarms.rules import Condition
from igoudar.control.alarms.watch import Conditions, Signal, standing
from igoudar.control.lease import Lease
from igoudar.control.picture import Picture
from igoudar.control.records.audit import last_anchor_holds
from igoudar.control.records.room import AuditRoom
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ActionRow
from igoudar.control.text import text
from igoudar.core.clock import JumpWatch
from igoudar.core.errors import StoreError

LOG = logging.getLogger(__name__)

LOOK_S = 1.0  # wall
NOT_WRITER_S = 60.0  # site time: a takeover is no alarm
MEBIBYTE = 2**20


@dataclass(slots=True)
class Upkeep:
    """Looks each second, and tells the alarm engine in each cycle."""

    site: str
    records: Records
    room: AuditRoom
    lease: Lease
    now: Callable[[], datetime]
    config_version: str
    jumps: JumpWatch = field(default_factory=JumpWatch)
    _jump_s: float = 0.0  # told by the next cycle
    _whole: bool = True
    _lines: list[ActionRow] = field(default_factory=list)

    def start(self) -> None:
        """A quick look at what the last run left: is the audit still what was anchored?"""
        try:
            self._whole = last_anchor_holds(self.records)
        except StoreError:
            self._whole = False

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look(time.time(), time.monotonic())
            await asyncio.sleep(LOOK_S)

    def look(self, wall_s: float, monotonic_s: float) -> None:
        """One look at both clocks; what happened is recorded or done at once."""
        jump_s = self.jumps.look(wall_s, monotonic_s)
        if jump_s:
            self._jump_s = jump_s
            self._lines.append(self._line(wall_s, jump_s))
        self._keep()

    def _keep(self) -> None:
        """Lines of the audit; what it refuses is tried again with the next look."""
        try:
            if self._lines:
                self.records.add(self._lines)
        except StoreError as error:
            LOG.warning("a jump of the clock is not in the audit yet: %s", error)
        else:
            self._lines = []

    def signals(self, picture: Picture, before: Conditions) -> Iterator[Signal]:
        """What the alarm engine follows."""
        room, jump_s = self.room.look(), self._jump_s
        self._jump_s = 0.0
        free = {"free_mb": room.free_bytes // MEBIBYTE, "why": room.why or "-"}
        yield self._signal("audit_low", 2, room.low, picture, before, free)
        yield self._signal("audit_full", 1, room.full, picture, before, free)
        yield self._signal("audit_broken", 1, not self._whole, picture, before, {})
        yield self._signal("not_writer", 2, not self.lease.held(), picture, before, {}, NOT_WRITER_S)
        if jump_s:
            yield self._pulse("clock_jumped", {"jump_s": jump_s})

    def _signal(
        self,
        code: str,
        priority: int,
        holds: bool,
        picture: Picture,
        before: Conditions,
        params: dict[str, object],
        on_delay_s: float = 0.0,
    ) -> Signal:
        return standing(code, self.site, priority, holds, picture.at, before, params, on_delay_s)

    def _pulse(self, code: str, params: dict[str, object]) -> Signal:
        return Signal(code, self.site, 2, code, Condition(), {"source": self.site, **params}, pulse=True)

    def _line(self, wall_s: float, jump_s: float) -> ActionRow:
        said = text("audit.clock_jumped", jump_s=jump_s)
        return ActionRow(
            at=self.now(),
            who="control",
            verb="clock_jump",
            target=socket.gethostname(),
            before=datetime.fromtimestamp(wall_s - jump_s, UTC).isoformat(),
            after=datetime.fromtimestamp(wall_s, UTC).isoformat(),
            code=said.code,
            params=said.params,
            result="seen",
            config_version=self.config_version,
        )
