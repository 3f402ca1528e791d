"""From readings to the store: batched, durable within a window, bounded; nothing is lost silently."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

from igoudar.collectors.courier import Call, Courier
from igoudar.collectors.quarantine import Quarantine
from igoudar.collectors.spool import Batch, Spool
from igoudar.core.model import Reading
from igoudar.core.store.protocol import TelemetryStore

LOG = logging.getLogger(__name__)

WINDOW_S = 1.0
MOST_POINTS = 2_000_000  # held in memory while neither spool nor store takes them (about 300 MB)
MOST_READINGS_A_BATCH = 20_000
LOOK_S = 0.25  # between looks for a backlog
SAVE_S = 1.0  # between notes of what is forwarded: what a crash may send twice

Sees = Callable[[Sequence[Reading]], None]


def nobody(_: Sequence[Reading]) -> None:
    """Nobody wants to know."""


class Keeper:
    """Takes readings, acknowledges them once they are on disk, forwards them to the store.

    A store on this machine is its own disk: batches go to it directly, and into the spool only when it
    refuses or dawdles. Any other store gets what the spool already holds (docs/decisions).

    Args:
        store: Where to.
        spool: Holds what the store does not take yet.
        quarantine: Holds what it will never take.
        tell: Called with every batch as soon as it is cut, before it is on disk.
        acknowledged: Called with every batch once it is on disk.
        window_s: What was put longer ago is on disk [s, wall], as long as any disk takes it.
        call: Runs a blocking function; a thread unless a test says otherwise.
    """

    def __init__(
        self,
        store: TelemetryStore,
        spool: Spool,
        quarantine: Quarantine,
        *,
        tell: Sees = nobody,
        acknowledged: Sees = nobody,
        window_s: float = WINDOW_S,
        most_points: int = MOST_POINTS,
        call: Call = asyncio.to_thread,
    ) -> None:
        self.acknowledged = self.spool_failures = self.memory_dropped = 0
        self.spool_refuses = False
        self.courier = Courier(store, quarantine, call)
        self.spool, self.quarantine = spool, quarantine
        self._direct, self._tell, self._see_acknowledged = store.local, tell, acknowledged
        self._window_s, self._most_points, self._call = window_s, most_points, call
        self._waiting: deque[Reading] = deque()
        self._points = self._told = 0  # points that wait; readings of them that were told of
        self._stopping = asyncio.Event()
        self._spooling = asyncio.Lock()
        self._live: asyncio.Task[None] | None = None  # of a batch that is in the spool as well

    @property
    def waiting(self) -> int:
        """Readings that are not on disk yet."""
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """Readings lost because memory or the spool was full."""
        return self.memory_dropped + self.spool.dropped

    def put(self, reading: Reading) -> None:
        """Take a reading; never blocks."""
        self._waiting.append(reading)
        self._points += _size(reading)
        while self._points > self._most_points:
            self._points -= _size(self._waiting.popleft())
            self._told = max(0, self._told - 1)
            self.memory_dropped += 1

    async def run(self) -> None:
        """Keep and forward until cancelled, then put on disk what is left."""
        loops = [asyncio.create_task(work(), name=work.__name__) for work in (self._windows, self._backlog)]
        try:
            done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._stopping.set()
            await asyncio.wait(loops)
            await self._finish()

    async def flush(self) -> bool:
        """Put all that waits on disk; False when no disk took it, which keeps it waiting."""
        self._publish()
        while self._waiting:
            batch, dropped = list(islice(self._waiting, MOST_READINGS_A_BATCH)), self.memory_dropped
            if not await self._keep(batch):
                return False
            self._acknowledge(batch, self.memory_dropped - dropped)
        return True

    async def drain(self) -> bool:
        """Forward some of the backlog; False when there is none or the store does not take it."""
        if not self.courier.due or not self.spool.batches:
            return False
        most = MOST_READINGS_A_BATCH if self.courier.up else 1  # one batch shows whether it is back
        batches: list[Batch] = await self._on_spool(self.spool.take, most)
        numbers = [batch.number for batch in batches]
        if not batches or not await self.courier.deliver([r for batch in batches for r in batch.readings]):
            await self._on_spool(self.spool.release, numbers)
            return False
        await self._on_spool(self.spool.finish, numbers)
        return True

    async def save(self) -> None:
        """Remember what is forwarded."""
        try:
            await self._on_spool(self.spool.save)
        except OSError as error:
            LOG.warning("what is forwarded can't be noted now, it may be sent twice: %s", error)

    async def _windows(self) -> None:
        """Half of the window to gather, half to write."""
        while not self._stopping.is_set():
            await self._pause(self._window_s / 2)
            await self.flush()

    async def _backlog(self) -> None:
        loop, saved_s = asyncio.get_running_loop(), 0.0
        while not self._stopping.is_set():
            try:
                moved = await self.drain()
            except OSError as error:
                LOG.warning("the spool can't be read now: %s", error)
                moved = False
            if self.spool.unsaved and loop.time() - saved_s >= SAVE_S:
                await self.save()
                saved_s = loop.time()
            if not moved:
                await self._pause(LOOK_S)

    async def _finish(self) -> None:
        await self.flush()
        if self._live is not None:
            await self._live
        await self.save()

    async def _keep(self, batch: Sequence[Reading]) -> bool:
        """In the store on this machine or in the spool, whichever takes it in time; False: nowhere."""
        free = self.courier.up and (self._live is None or self._live.done())
        delivery: asyncio.Future[bool] | None = None
        if free and self._direct:
            delivery = asyncio.ensure_future(self.courier.deliver(batch))
            if await self._in_time(delivery):
                return True
        live = free and (delivery is None or not delivery.done())
        number = await self._spool_it(batch, give=live)
        if number is None:
            return await (delivery if delivery and live else self._last_resort(batch))
        if live:
            self._live = asyncio.create_task(self._settle(number, delivery or self.courier.deliver(batch)))
        return True

    async def _in_time(self, delivery: "asyncio.Future[bool]") -> bool:
        """Whether it is stored by the time that the spool would have to take it."""
        await asyncio.wait((delivery,), timeout=self._window_s / 2)
        return delivery.done() and delivery.result()

    async def _settle(self, number: int, delivery: Awaitable[bool]) -> None:
        """What becomes of a batch that is in the spool and on its way as well."""
        stored = await delivery
        await self._on_spool(self.spool.finish if stored else self.spool.release, (number,))

    async def _last_resort(self, batch: Sequence[Reading]) -> bool:
        return self.courier.due and await self.courier.deliver(batch)

    async def _spool_it(self, batch: Sequence[Reading], *, give: bool) -> int | None:
        """The batch's number in the spool, None when the spool's disk refuses."""
        try:
            number: int = await self._on_spool(partial(self.spool.append, batch, give=give))
        except OSError as error:
            self.spool_failures += 1
            if not self.spool_refuses:
                LOG.error("the spool can't be written, readings wait in memory: %s", error)
            self.spool_refuses = True
            return None
        return number

    async def _on_spool(self, work: Callable[..., Any], *args: Any) -> Any:
        async with self._spooling:
            return await self._call(work, *args)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _acknowledge(self, batch: Sequence[Reading], dropped_meanwhile: int) -> None:
        """Forget a kept batch; what memory pressure dropped of it while it was written is not lost."""
        saved = min(dropped_meanwhile, len(batch))
        self.memory_dropped -= saved
        for _ in range(len(batch) - saved):
            self._points -= _size(self._waiting.popleft())
        self._told = max(0, self._told - len(batch) + saved)
        self.acknowledged += len(batch)
        self.spool_refuses = False
        self._see_acknowledged(batch)

    def _publish(self) -> None:
        fresh = list(islice(self._waiting, self._told, None))
        self._told = len(self._waiting)
        if fresh:
            self._tell(fresh)


def _size(reading: Reading) -> int:
    return len(reading.values) + len(reading.flags) + 1
