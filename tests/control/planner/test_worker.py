import os
import signal
from collections.abc import Callable, Iterator

import pytest
from tests.control.planner.conftest import job

from igoudar.control.planner.ask import Ask, Plan
from igoudar.control.planner.worker import LostError, Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    found = Worker({})
    yield found
    found.close()


def pids(worker: Worker) -> list[int]:
    assert worker._pool is not None
    return list(worker._pool._processes)


async def test_it_solves_in_another_process_and_survives_the_death_of_it(
    worker: Worker, ask_of: Callable[..., Ask]
) -> None:
    assert isinstance(await worker.answer(ask_of(job("a")), 60.0), Plan)
    (pid,) = pids(worker)
    assert pid != os.getpid()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(LostError):
        await worker.answer(ask_of(job("a")), 60.0)
    assert isinstance(await worker.answer(ask_of(job("a")), 60.0), Plan)


async def test_one_that_hangs_is_killed_in_time(worker: Worker, ask_of: Callable[..., Ask]) -> None:
    assert isinstance(await worker.answer(ask_of(), 60.0), Plan)
    (pid,) = pids(worker)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        await worker.answer(ask_of(), 0.2)
    assert worker._pool is None
    assert isinstance(await worker.answer(ask_of(), 60.0), Plan)
