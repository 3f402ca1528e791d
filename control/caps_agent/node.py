"""One node: its keeper, asked by one caller at a time and away from the event loop."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from igoudar.collectors.results import Error, Rejected, Result
from igoudar.control.caps_agent.asking import Asked
from igoudar.control.caps_agent.gpus import Gpu, GpuError
from igoudar.control.caps_agent.keeper import Keeper
from igoudar.control.caps_agent.nvml import Nvml
from igoudar.core.errors import StoreError

LOG = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Node:
    """Calls of NVML block for milliseconds: they run in a thread, one after the other.

    Args:
        keeper: Of the caps.
        nvml: For what the keeper does not need: the driver's version.
    """

    def __init__(self, keeper: Keeper, nvml: Nvml) -> None:
        self.keeper, self._nvml = keeper, nvml
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._over = False

    async def set_cap(self, asked: Asked) -> Result:
        """See Keeper; what a driver does unexpectedly is an Error as well."""
        try:
            return await self._alone(self._set, asked)
        except GpuError as error:
            return Error(str(error))
        finally:
            self._changed.set()

    async def look(self) -> tuple[Sequence[Gpu], str]:
        """The GPUs as they are now, and the driver's version.

        Raises:
            GpuError: the driver does not answer.
        """
        return await self._alone(lambda: (self.keeper.gpus.look(), self._nvml.driver()))

    async def keep(self) -> None:
        """End caps in time and put back lost ones, until cancelled."""
        while True:
            wait_s = await self._tick()
            self._changed.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def release(self) -> None:
        """Give the GPUs back, on a clean stop; from now on no cap is set."""
        self._over = True
        try:
            await self._alone(self._give_back)
        except GpuError as error:
            LOG.error("the caps could not be released: %s", error)

    async def _tick(self) -> float:
        try:
            return await self._alone(self._hold)
        except (GpuError, StoreError) as error:
            LOG.error("caps can't be kept just now: %s", error)
            return self.keeper.rules.verify_s

    async def _alone(self, work: Callable[..., Answer], *args: object) -> Answer:
        """Work in a thread; the turn lasts until that is done, also when the caller is cancelled."""
        async with self._turn:
            job = asyncio.get_running_loop().run_in_executor(None, work, *args)
            try:
                return await asyncio.shield(job)
            except asyncio.CancelledError:
                await _done(job)
                raise

    def _set(self, asked: Asked) -> Result:
        return Rejected("stopping") if self._over else self.keeper.set_cap(asked)

    def _hold(self) -> float:
        return self.keeper.rules.verify_s if self._over else self.keeper.tick()

    def _give_back(self) -> None:
        try:
            self.keeper.release_all()
        finally:
            self._nvml.close()


async def _done(job: asyncio.Future[Answer]) -> None:
    """Wait for it, however often the caller is cancelled."""
    while not job.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([job])
    if not job.cancelled() and (error := job.exception()) is not None:
        LOG.error("what was cancelled had failed: %s", error)
