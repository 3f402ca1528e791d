"""Batches on their way into the store: one at a time, refusals told apart, never one for ever."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any

from igoudar.collectors.faults import Backoff
from igoudar.collectors.quarantine import Quarantine
from igoudar.core.errors import IgoudarError, StoreRefusedError
from igoudar.core.model import Reading
from igoudar.core.store.protocol import TelemetryStore

LOG = logging.getLogger(__name__)

LONGEST_REST_S = 30.0  # between two tries while the store is away
MOST_PROBES = 64  # appends spent on finding the poison in one batch; what is not cleared by then goes with it

Call = Callable[..., Awaitable[Any]]


class Courier:
    """Appends to the store and says what became of it.

    Args:
        store: Where to.
        quarantine: Where what the store refuses for ever goes.
        call: Runs a blocking function; a thread unless a test says otherwise.
    """

    def __init__(self, store: TelemetryStore, quarantine: Quarantine, call: Call) -> None:
        self.stored = self.failures = 0
        self.append_s = 0.0  # the last append took
        self.down_since_s: float | None = None  # loop time; None while the store takes what it is given
        self._store, self._quarantine, self._call = store, quarantine, call
        self._lock = asyncio.Lock()  # fair: a live batch waits for one append of the backlog at most
        self._backoff = Backoff(longest_s=LONGEST_REST_S)
        self._rest_until_s = 0.0  # the store asked to be left alone until then

    @property
    def up(self) -> bool:
        """Whether the last append was answered."""
        return self.down_since_s is None

    @property
    def due(self) -> bool:
        """Whether it may be tried now."""
        now_s = asyncio.get_running_loop().time()
        return self.up or (self._backoff.due(now_s) and now_s >= self._rest_until_s)

    async def deliver(self, readings: Sequence[Reading]) -> bool:
        """Settle a batch: in the store, but for what it refuses for ever; False: try again later."""
        async with self._lock:
            try:
                await self._settle(readings)
            except (IgoudarError, OSError, MemoryError) as error:
                self._failed(error)
                return False
            self._succeeded()
            return True

    async def _settle(self, readings: Sequence[Reading]) -> None:
        """Append; halve what is refused until the poison is alone.

        Raises:
            IgoudarError, OSError, MemoryError: none of it may be taken for stored.
        """
        parts, probes = [readings], 0
        while parts:
            part = parts.pop()
            probes += 1
            refusal = await self._append(part)
            if refusal is None:
                continue
            if len(part) > 1 and probes < MOST_PROBES:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            else:
                await self._call(self._quarantine.keep, part, refusal)

    async def _append(self, readings: Sequence[Reading]) -> str | None:
        """None when what can be stored of it is; else why all of it never will be."""
        started = perf_counter()
        try:
            await self._call(self._store.append, readings)
        except StoreRefusedError as error:
            await self._set_aside(readings, error)
            self.stored += len(readings) - len(error.refused)
            return None
        except (OSError, MemoryError):
            raise
        except IgoudarError as error:
            if error.retryable:
                raise
            return str(error)
        except Exception as error:
            LOG.exception("storing %d readings raised", len(readings))
            return repr(error)
        self.stored += len(readings)
        self.append_s = perf_counter() - started
        return None

    async def _set_aside(self, readings: Sequence[Reading], error: StoreRefusedError) -> None:
        refused = {index: why for index, why in error.refused.items() if 0 <= index < len(readings)}
        if refused:
            why = f"{error}: {'; '.join(dict.fromkeys(refused.values()))}"
            await self._call(self._quarantine.keep, [readings[index] for index in sorted(refused)], why)

    def _failed(self, error: Exception) -> None:
        now_s = asyncio.get_running_loop().time()
        self.failures += 1
        if self.down_since_s is None:
            self.down_since_s = now_s
            LOG.error("the store takes nothing now, readings wait in the spool: %s", error)
        self._backoff.failed(now_s)
        self._rest_until_s = now_s + float(getattr(error, "retry_after_s", 0.0))

    def _succeeded(self) -> None:
        if self.down_since_s is not None:
            LOG.warning("the store takes readings again")
        self.down_since_s = None
        self._backoff.succeeded()
