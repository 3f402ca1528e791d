"""Checkpoints of the simulated plant: written whole, often enough that a kill costs seconds."""

import asyncio
import os
import time
from pathlib import Path
from threading import Lock
from typing import Any

from igoudar.core.errors import ConfigError
from igoudar.simulators.devices import Firmwares
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.twin import Inputs, Twin, pack, unpack

PERIOD_S = 2.0  # wall time
_COST_LIMIT = 0.05  # of the process's time


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The checkpoint at `path`, None when there is none.

    Raises:
        ConfigError: it is there but can't be used.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"it can't be read ({error.strerror})", where=str(path)) from error
    return unpack(data, str(path))


class Keeper:
    """Writes checkpoints of everything simulated to one file.

    Args:
        path: The file.
        inputs: What the plant was built from.
        twin: Plant and shadow.
        firmwares: What the devices remember.
        faults: Which faults are on.
    """

    def __init__(
        self, path: Path, inputs: Inputs, twin: Twin, firmwares: Firmwares, faults: FaultBoard
    ) -> None:
        self._path, self._inputs, self._twin = path, inputs, twin
        self._firmwares, self._faults = firmwares, faults
        self._writing = Lock()
        self._packed_count = self._written = 0

    def restore(self, kept: dict[str, Any]) -> None:
        """Take up what devices remembered and which faults were on."""
        self._firmwares.restore(kept["firmware"])
        self._faults.restore(kept["faults"])

    async def save(self) -> Path:
        """Write a checkpoint and tell where it is."""
        await asyncio.to_thread(self._write, *self._packed())
        return self._path

    def save_now(self) -> None:
        """Write a checkpoint on the way out, without the event loop."""
        self._write(*self._packed())

    async def keep(self) -> None:
        """Write checkpoints until cancelled."""
        while True:
            began = time.process_time()
            await self.save()
            cost_s = time.process_time() - began
            await asyncio.sleep(max(PERIOD_S, cost_s / _COST_LIMIT))

    def _packed(self) -> tuple[int, bytes]:
        document = self._twin.checkpoint(self._inputs)
        document |= {"firmware": self._firmwares.state(), "faults": self._faults.active()}
        self._packed_count += 1
        return self._packed_count, pack(document)

    def _write(self, number: int, data: bytes) -> None:
        """Write a checkpoint, unless a later one is there: a cancelled `save` goes on in its thread."""
        with self._writing:
            if number > self._written:
                _write_whole(self._path, data)
                self._written = number


def _write_whole(path: Path, data: bytes) -> None:
    """Replace `path` so that a kill leaves the old file or the new one."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
