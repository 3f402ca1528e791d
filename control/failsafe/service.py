"""The failsafe part: one per state folder, waiting in line where another still keeps its promises."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from igoudar.control.failsafe.keeper import POLL_S, Failsafe, Resumes, serve

LOCK = "failsafe.lock"


async def run(state: Path, scheduler: Resumes, orphaned: Callable[[], bool]) -> None:
    """Keep the promises of one site until cancelled, or until `orphaned` and nothing is paused."""
    async with alone(state / LOCK):
        await serve(Failsafe.open(state, scheduler, time.monotonic()), orphaned)


@asynccontextmanager
async def alone(path: Path) -> AsyncIterator[None]:
    """Hold the lock, with our number in it; wait while the failsafe of an earlier run still watches."""
    with path.open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(POLL_S)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
