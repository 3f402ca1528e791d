"""Tells the collector, each cycle, whose the plant is and what may be done to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from igoudar.collectors.authority import Authority, Hold
from igoudar.control.actuation.links import CollectLink
from igoudar.control.actuation.overrides import Overrides
from igoudar.control.lease import Lease
from igoudar.core.errors import LinkError


@dataclass(slots=True)
class Mandate:
    """Sends the authority while the lease is ours; `trouble` says why the collector does not obey.

    Args:
        collect: A connection of its own, so that a slow write never delays it.
        lease: Of the one writer.
        modes: Of each class, now.
        overrides: What people hold.
    """

    collect: CollectLink
    lease: Lease
    modes: Callable[[], Mapping[str, str]]
    overrides: Overrides
    cycle: int = 0
    trouble: str = ""

    async def tell(self) -> None:
        """One cycle more; a collector that does not answer hears it in the next."""
        if not self.lease.held():
            self.trouble = "the lease is not ours"
            return
        self.cycle += 1
        await self._send(self.authority())

    async def end(self) -> None:
        """A clean stop: the collector gives the plant back now instead of when the lease runs out."""
        if self.cycle and self.lease.held():
            await self._send(replace(self.authority(), lease_s=0.0, modes={}))

    async def _send(self, authority: Authority) -> None:
        try:
            await (await self.collect.client()).authority(authority)
        except (LinkError, OSError, TimeoutError) as error:
            await self.collect.close()
            self.trouble = str(error) or type(error).__name__
        else:
            self.trouble = ""

    def authority(self) -> Authority:
        """What is told."""
        return Authority(
            epoch=self.lease.epoch,
            holder=self.lease.holder,
            lease_s=self.lease.remaining_s(),
            modes=dict(self.modes()),
            overrides=tuple(Hold(row.target, row.point, row.until) for row in self.overrides.points()),
            cycle=self.cycle,
            deadline_s=self.lease.deadline_s(),
        )
