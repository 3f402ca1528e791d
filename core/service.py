"""A service and its runner: what lives long opens in order, runs side by side and unwinds in reverse."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

Serve = Callable[[], Coroutine[Any, Any, None]]
Service = AbstractAsyncContextManager[Serve]
"""Entering it takes what it needs (ports, files) and gives its `serve`; leaving it gives that back."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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


async def until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends or the process is asked to stop (SIGINT, SIGTERM).

    Only the cancellation that a signal asked for is swallowed; any other one, and any error, goes on.
    """
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    async with _signals(loop, asked.set):
        task = asyncio.ensure_future(work)
        waiting = asyncio.ensure_future(asked.wait())
        try:
            await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
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
