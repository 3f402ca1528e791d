"""What every telemetry store can do."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple, Protocol

import polars as pl

from igoudar.core.model import Reading


class Series(NamedTuple):
    """One point of one device."""

    device: str
    point: str


class TelemetryReader(Protocol):
    """The reading half: safe from another process while a writer is at work."""

    def latest(self, devices: Collection[str] | None = None) -> Mapping[str, Reading]:
        """The newest stored reading of each device (all devices when None)."""
        ...

    def range(self, series: Sequence[Series], start: datetime, end: datetime) -> pl.DataFrame:
        """Samples in [start, end): device, point, time (UTC), value (null when bad), quality, reason."""
        ...

    def downsample(
        self, series: Sequence[Series], start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        """Good values per step: device, point, time, mean, min, max, last, good_share; no row = gap."""
        ...

    def last_time(self) -> datetime | None:
        """Received time of the newest sample, None in an empty store."""
        ...


class TelemetryStore(TelemetryReader, Protocol):
    """One writer owns the store."""

    local: ClassVar[bool]  # an append ends in an fsync on this machine: no network can hold it up

    def append(self, readings: Sequence[Reading]) -> None:
        """Keep `readings`; when this returns they are on disk (fsynced).

        A sample that is appended again (a replayed batch) counts once: its series and time are its identity.

        Raises:
            StoreBusyError: nothing of the batch is promised; append it again later.
            StoreRefusedError: some samples are refused, now and for ever; the rest of the batch is kept.
            StoreError: the batch is refused, now and for ever; what was stored before is untouched.
        """
        ...

    def close(self) -> None:
        """Release the writer's lock; nothing unflushed is left."""
        ...
