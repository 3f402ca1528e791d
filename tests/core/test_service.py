import asyncio
import gc
import os
import signal
from contextlib import asynccontextmanager

import pytest

from igoudar.core.errors import LinkError
from igoudar.core.service import _settle, run_services, run_until_signalled, until_signalled


@asynccontextmanager
async def service(name, log, fails=None):
    log.append(f"open {name}")

    async def serve():
        try:
            if fails:
                raise fails
            await asyncio.Event().wait()
        finally:
            log.append(f"stop {name}")

    try:
        yield serve
    finally:
        log.append(f"close {name}")


async def test_services_unwind_in_reverse_order():
    log, stop, ready = [], asyncio.Event(), asyncio.Event()
    run = asyncio.create_task(run_services([service("a", log), service("b", log)], stop, ready.set))
    await asyncio.wait_for(ready.wait(), 2)
    await asyncio.sleep(0)  # one turn, so that both have begun to serve
    stop.set()
    await asyncio.wait_for(run, 2)
    assert log == ["open a", "open b", "stop b", "close b", "stop a", "close a"]


async def test_a_failing_service_stops_the_others_and_is_raised():
    log = []
    with pytest.raises(BaseExceptionGroup) as raised:
        await asyncio.wait_for(
            run_services([service("a", log), service("b", log, OSError("disk"))], asyncio.Event()), 2
        )
    assert raised.group_contains(OSError, match="disk")
    assert log[-2:] == ["close b", "close a"]


async def test_an_outer_cancellation_goes_on():
    log, ready = [], asyncio.Event()
    run = asyncio.create_task(run_services([service("a", log)], asyncio.Event(), ready.set))
    await asyncio.wait_for(ready.wait(), 2)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert log[-1] == "close a"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_work_cleanly(number):
    started, ended = asyncio.Event(), []

    async def work():
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    run = asyncio.create_task(until_signalled(work()))
    await asyncio.wait_for(started.wait(), 2)
    os.kill(os.getpid(), number)
    await asyncio.wait_for(run, 2)
    assert ended == [True]


async def test_an_error_of_the_work_is_raised():
    async def work():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await asyncio.wait_for(until_signalled(work()), 2)


def test_an_expected_error_leaves_the_task_group_as_one_line():
    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait())
            raise LinkError("port 502 is in use", where="simulate")

    with pytest.raises(LinkError, match="simulate: port 502 is in use"):
        run_until_signalled(work())


def test_an_unexpected_error_is_not_hidden():
    async def work():
        async with asyncio.TaskGroup():
            raise ZeroDivisionError

    with pytest.raises(BaseExceptionGroup):
        run_until_signalled(work())


def test_settling_stops_nothing_to_look_for_garbage():
    searched = []
    gc.callbacks.append(lambda phase, info: searched.append((phase, info["generation"])))
    try:
        _settle()
        assert gc.get_freeze_count() > 0
        assert ("start", 2) not in searched
    finally:
        gc.callbacks.pop()
        gc.unfreeze()
