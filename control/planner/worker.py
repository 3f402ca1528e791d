"""The process that solves: one at a time, killed when it hangs. Nothing heavy is loaded before it runs."""

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from igoudar.core.orphan import die_with_parent

if TYPE_CHECKING:  # numpy, polars and HiGHS are loaded where they are needed: in the worker
    from igoudar.control.planner.ask import Ask, NoPlan, Plan, Teaching
    from igoudar.control.planner.solve import Planner

NICE = 5  # control itself goes first
_planner: "Planner | None" = None


class LostError(Exception):
    """The worker was killed or died; the next question gets a new one."""


class Worker:
    """Answers one question at a time; started at the first."""

    def __init__(self, teaching: "Teaching") -> None:
        self._teaching = teaching
        self._pool: ProcessPoolExecutor | None = None

    async def answer(self, ask: "Ask", limit_s: float) -> "Plan | NoPlan":
        """A plan, or why there is none.

        Raises:
            TimeoutError: it took longer than `limit_s` of wall time and was killed.
            LostError: it died.
        """
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, spawn, initializer=_prepare, initargs=(self._teaching,))
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.get_running_loop().run_in_executor(self._pool, _solve, ask)
        except TimeoutError:
            self.close()
            raise
        except BrokenProcessPool as error:
            self.close()
            raise LostError(str(error)) from error

    def close(self) -> None:
        """Kill what runs; a solver does not listen."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        for process in list(pool._processes.values()):  # noqa: SLF001 - kill_workers() is Python 3.14's
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def _prepare(teaching: "Teaching") -> None:
    """Runs first in the new process, before numpy: threads of its own would only fight for the cores."""
    global _planner  # noqa: PLW0603 - a pool's process keeps its state in its module
    die_with_parent()
    os.nice(NICE)
    from igoudar.control.planner.solve import Planner

    _planner = Planner(teaching)


def _solve(ask: "Ask") -> "Plan | NoPlan":
    if _planner is None:
        raise LostError("the worker was not prepared")
    return _planner.answer(ask)
