"""The lease of one host: a lock on a file, which the kernel releases when the process dies."""

import asyncio
import fcntl
import os
import time
from pathlib import Path
from typing import IO

from igoudar.control.lease import LEASE_S, seen_epoch, this_process
from igoudar.core.durable import write_durably
from igoudar.core.errors import StoreError

RETRY_S = 0.2  # wall


class FileLease:
    """Held while we have the lock on `writer.lock`; each holding has a higher epoch, kept in `writer.epoch`.

    The lock does not run out, but whoever is told of it (`collect`) is told for `lease_s` only: a stopped
    holder then writes nothing, and one that goes on is still the only one.
    """

    def __init__(self, state: Path, lease_s: float = LEASE_S) -> None:
        self._state, self._path, self._lease_s = state, state / "writer.lock", lease_s
        self._file: IO[str] | None = None
        self._epoch = 0
        self._holder = this_process()

    @property
    def holder(self) -> str:
        """Who we are: host and process."""
        return self._holder

    @property
    def former(self) -> str:
        """Nobody of another host."""
        return ""

    @property
    def epoch(self) -> int:
        """The number of our holding; 0 before the first."""
        return self._epoch

    def held(self) -> bool:
        """Whether the lock is ours and still on the file that others would lock."""
        if self._file is None:
            return False
        try:
            there = self._path.stat()
        except OSError:
            return False
        ours = os.fstat(self._file.fileno())
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)

    def remaining_s(self) -> float:
        """What others may rely on; 0 when it is not ours."""
        return self._lease_s if self.held() else 0.0

    def deadline_s(self) -> float:
        """The same as an instant of CLOCK_MONOTONIC."""
        return time.monotonic() + self.remaining_s()

    def take(self) -> bool:
        """Take the lock if nobody has it; True when it is ours.

        Raises:
            StoreError: when the lock's files can't be written.
        """
        if self.held():
            return True
        self.close()
        try:
            self._file = _locked(self._path)
            if self._file is not None:
                self._number()
        except OSError as error:
            self.close()
            raise StoreError(
                f"the writer's lock can't be kept ({error.strerror})",
                where=str(self._path),
                fix="check free space and permissions",
            ) from error
        return self.held()

    async def keep(self) -> None:
        """Take it as soon as it is free, again should its file vanish, until cancelled."""
        while True:
            self.take()
            await asyncio.sleep(RETRY_S)

    def close(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _number(self) -> None:
        """The next epoch, on disk before anybody hears of it."""
        path = self._state / "writer.epoch"
        self._epoch = max(_kept(path), seen_epoch(self._state), self._epoch) + 1
        write_durably(path, str(self._epoch).encode())


def _locked(path: Path) -> IO[str] | None:
    """The file with our lock on it, None when another process has it."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except OSError:
        file.close()
        raise
    return file


def _kept(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
