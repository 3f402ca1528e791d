"""From readings to the store: batched, durable, bounded; nothing is lost silently."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from time import perf_counter

from igoudar.core.errors import StoreError
from igoudar.core.model import Reading
from igoudar.core.store.protocol import TelemetryStore

LOG = logging.getLogger(__name__)

WINDOW_S = 0.5  # between appends: what is acknowledged is at most this old, plus the append itself
RETRY_S = 1.0
MOST_POINTS = 2_000_000  # held in memory while the store refuses (about 300 MB)
MOST_READINGS_A_BATCH = 20_000


class Keeper:
    """Appends what is put to the store; keeps it while the store refuses.

    A reading is acknowledged (`stored`) once the store's append has returned: then it is on disk. When memory
    is full the oldest unstored readings go, counted in `dropped`.

    Args:
        store: Where to.
        tell: Called with every batch as soon as it is cut, before it is stored.
    """

    def __init__(
        self,
        store: TelemetryStore,
        tell: Callable[[Sequence[Reading]], None] = lambda _: None,
        most_points: int = MOST_POINTS,
    ) -> None:
        self.stored = self.dropped = self.failures = 0
        self.append_s = 0.0  # the last append took
        self._store, self._tell, self._most_points = store, tell, most_points
        self._waiting: deque[Reading] = deque()
        self._points = 0
        self._told = 0  # how many of the waiting ones were told of

    @property
    def waiting(self) -> int:
        """Readings that are not on disk yet."""
        return len(self._waiting)

    def put(self, reading: Reading) -> None:
        """Take a reading; never blocks."""
        self._waiting.append(reading)
        self._points += _size(reading)
        while self._points > self._most_points:
            self._points -= _size(self._waiting.popleft())
            self._told = max(0, self._told - 1)
            self.dropped += 1

    async def run(self) -> None:
        """Append until cancelled, then append what is left."""
        try:
            while True:
                await asyncio.sleep(WINDOW_S)
                if not await self.flush():
                    await asyncio.sleep(RETRY_S)
        finally:
            await self.flush()

    async def flush(self) -> bool:
        """Append all that waits; False when the store refused, which keeps it waiting."""
        self._publish()
        while self._waiting:
            batch = list(islice(self._waiting, MOST_READINGS_A_BATCH))
            if not await self._append(batch):
                return False
        return True

    async def _append(self, batch: Sequence[Reading]) -> bool:
        started, dropped = perf_counter(), self.dropped
        append = asyncio.ensure_future(asyncio.to_thread(self._store.append, batch))
        try:
            await asyncio.shield(append)
        except (StoreError, OSError) as error:
            self.failures += 1
            LOG.error("the store refused %d readings, they are kept: %s", len(batch), error)
            return False
        finally:
            await asyncio.wait((append,))  # a thread can't be cancelled, and must not be asked twice
            if append.exception() is None:
                self._acknowledge(batch, self.dropped - dropped)
        self.append_s = perf_counter() - started
        return True

    def _acknowledge(self, batch: Sequence[Reading], dropped_meanwhile: int) -> None:
        """Forget a stored batch; what memory pressure dropped of it while it was stored is not lost."""
        saved = min(dropped_meanwhile, len(batch))
        self.dropped -= saved
        for _ in range(len(batch) - saved):
            self._points -= _size(self._waiting.popleft())
        self._told = max(0, self._told - len(batch) + saved)
        self.stored += len(batch)

    def _publish(self) -> None:
        fresh = list(islice(self._waiting, self._told, None))
        self._told = len(self._waiting)
        if fresh:
            self._tell(fresh)


def _size(reading: Reading) -> int:
    return len(reading.values) + len(reading.flags) + 1
