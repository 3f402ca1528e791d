"""Where pictures come from: the collector's snapshot over its local socket."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from igoudar.collectors.client import CollectClient
from igoudar.collectors.snapshot import Snapshot
from igoudar.control.picture import Picture
from igoudar.core.errors import LinkError


class Telemetry(Protocol):
    """Gives one frozen picture per cycle."""

    async def picture(self, now: datetime) -> Picture:
        """The plant now; `lost` when the collector does not answer."""
        ...

    async def metrics(self) -> Mapping[str, float]:
        """The collector's own figures; empty when it does not answer."""
        ...


class CollectorTelemetry:
    """Keeps one connection to the collector and opens it again after a fault."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._client: CollectClient | None = None
        self._stack = AsyncExitStack()
        self._last = Picture(datetime.min.replace(tzinfo=UTC))

    async def picture(self, now: datetime) -> Picture:
        """The plant now; `lost` (without values, with ages) when the collector does not answer."""
        try:
            client = await self._open()
            self._last = _picture(await client.snapshot(), now, await client.metrics())
        except (LinkError, OSError, TimeoutError):
            await self.close()
            last = self._last
            return Picture(now, {}, last.last_good, last.points, last.read_count, last.gap_count, lost=True)
        return self._last

    async def metrics(self) -> Mapping[str, float]:
        """The collector's own figures; empty when it does not answer."""
        try:
            return await (await self._open()).metrics()
        except (LinkError, OSError, TimeoutError):
            await self.close()
            return {}

    async def close(self) -> None:
        """Drop the connection."""
        stack, self._stack, self._client = self._stack, AsyncExitStack(), None
        await stack.aclose()

    async def _open(self) -> CollectClient:
        if self._client is None:
            self._client = await self._stack.enter_async_context(CollectClient(self._socket))
        return self._client


def _picture(snapshot: Snapshot, now: datetime, figures: Mapping[str, float]) -> Picture:
    totals = snapshot.totals
    return Picture(
        now,
        snapshot.readings,
        snapshot.last_good,
        totals.points,
        totals.readings,
        totals.gaps,
        collector=figures,
    )
