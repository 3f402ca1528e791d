"""A service and its runner: what lives long opens in order, runs side by side and unwinds in reverse."""

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import uvloop

from igoudar.core.errors import IgoudarError

Serve = Callable[[], Coroutine[Any, Any, None]]
Service = AbstractAsyncContextManager[Serve]
"""Entering it takes what it needs (ports, files) and gives its `serve`; leaving it gives that back."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GARBAGE = (50_000, 20, 50)  # thresholds of the cyclic collector: Python's own cost a third of a busy process
SETTLED_S = 30.0  # wall


async def run_services(
    services: Sequence[Service], stop: asyncio.Event, ready: Callable[[], None] | None = None
) -> None:
    """Enter `services` in order and serve them under one TaskGroup until `stop` is set or one of them ends.

    `ready` is called once all are entered. Each is stopped and left before the one entered before it.

    Raises:
        BaseExceptionGroup: what a service raised while serving; all others are stopped first.
    """
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        until = group.create_task(stop.wait(), name="stop")
        for service in services:
            serve = await stack.enter_async_context(service)
            task = group.create_task(serve(), name=getattr(serve, "__qualname__", "service"))
            task.add_done_callback(lambda _: stop.set())
            stack.push_async_callback(_cancelled, task)
        if ready is not None:
            ready()
        await until
        await stack.aclose()


def run_until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run a process's `work` on a uvloop until it ends or the process is asked to stop.

    Raises:
        IgoudarError: the expected error that ended the work, also out of a TaskGroup, so that people read one
            line instead of a tree; anything unexpected is raised as it came.
    """
    _allow_files()
    gc.set_threshold(*GARBAGE)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(until_signalled(work))
    except BaseExceptionGroup as group:
        expected, rest = group.split(IgoudarError)
        if expected is None or rest is not None:
            raise
        raise _first(expected) from group


def _settle() -> None:
    """What was built by now lives as long as the process: no later search for cycles walks through it.

    Not even now: on a large site that stopped everything for up to a second, and finds next to nothing.
    """
    gc.freeze()


def _allow_files() -> None:
    """Raise the soft limit of open files to the hard one: a site has thousands of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _first(group: BaseExceptionGroup[IgoudarError]) -> IgoudarError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


async def until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends or the process is asked to stop (SIGINT, SIGTERM).

    Only the cancellation that a signal asked for is swallowed; any other one, and any error, goes on.
    """
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    settled = loop.call_later(SETTLED_S, _settle)
    async with _signals(loop, asked.set):
        task = asyncio.ensure_future(work)
        waiting = asyncio.ensure_future(asked.wait())
        try:
            await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            settled.cancel()
            waiting.cancel()
            stopped = task.cancel()
            await asyncio.wait((task,))
        if not (stopped and task.cancelled()):
            task.result()


@asynccontextmanager
async def _signals(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> AsyncIterator[None]:
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, call)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
