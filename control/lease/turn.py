"""The lease as those who act see it: ours, and what its last holder left has been read."""

from dataclasses import dataclass, field

from igoudar.control.lease import Lease


@dataclass(slots=True)
class Turn:
    """A lease that is not held until `ready`: nobody acts on what was known before it became ours.

    Args:
        lease: The right itself.
    """

    lease: Lease
    _ready: int = field(default=0)  # the epoch for which everything has been read

    def due(self) -> bool:
        """Whether the lease has become ours and what was left is still to be read."""
        return self.lease.held() and self.lease.epoch != self._ready

    def ready(self, epoch: int) -> None:
        """Everything that was left before this holding has been read."""
        self._ready = epoch

    @property
    def holder(self) -> str:
        """See Lease."""
        return self.lease.holder

    @property
    def former(self) -> str:
        """See Lease."""
        return self.lease.former

    @property
    def epoch(self) -> int:
        """See Lease."""
        return self.lease.epoch

    def held(self) -> bool:
        """Whether we may act at this moment."""
        return self.lease.held() and self.lease.epoch == self._ready

    def remaining_s(self) -> float:
        """See Lease."""
        return self.lease.remaining_s() if self.held() else 0.0

    def deadline_s(self) -> float:
        """See Lease."""
        return self.lease.deadline_s()

    async def keep(self) -> None:
        """See Lease."""
        await self.lease.keep()

    def close(self) -> None:
        """See Lease."""
        self.lease.close()
