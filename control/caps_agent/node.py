"""One node: its keeper, asked by one caller at a time and away from the event loop."""

import asyncio
import logging
from collections.abc import Sequence

from igoudar.collectors.results import Error, Result
from igoudar.control.caps_agent.asking import Asked
from igoudar.control.caps_agent.gpus import Gpu, GpuError
from igoudar.control.caps_agent.keeper import Keeper
from igoudar.control.caps_agent.nvml import Nvml
from igoudar.core.errors import StoreError

LOG = logging.getLogger(__name__)


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

    async def set_cap(self, asked: Asked) -> Result:
        """See Keeper; what a driver does unexpectedly is an Error as well."""
        async with self._turn:
            try:
                return await asyncio.to_thread(self.keeper.set_cap, asked)
            except GpuError as error:
                return Error(str(error))
            finally:
                self._changed.set()

    async def look(self) -> tuple[Sequence[Gpu], str]:
        """The GPUs as they are now, and the driver's version.

        Raises:
            GpuError: the driver does not answer.
        """
        async with self._turn:
            return await asyncio.to_thread(lambda: (self.keeper.gpus.look(), self._nvml.driver()))

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
        """Give the GPUs back, on a clean stop."""
        async with self._turn:
            try:
                await asyncio.to_thread(self.keeper.release_all)
            except GpuError as error:
                LOG.error("the caps could not be released: %s", error)
            finally:
                self._nvml.close()

    async def _tick(self) -> float:
        async with self._turn:
            try:
                return await asyncio.to_thread(self.keeper.tick)
            except (GpuError, StoreError) as error:
                LOG.error("caps can't be kept just now: %s", error)
                return self.keeper.rules.verify_s
