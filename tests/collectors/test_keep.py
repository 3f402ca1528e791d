"""Batches: durable before they count, kept while the store refuses, bounded, never twice."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from igoudar.collectors.keep import Keeper
from igoudar.core.errors import StoreError
from igoudar.core.model import Reading

from .rigs import START, run_virtually, until


class MemoryStore:
    """The appending half of a store, which refuses or stalls when told to."""

    def __init__(self) -> None:
        self.kept: list[Reading] = []
        self.refuse = False
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def append(self, readings: Sequence[Reading]) -> None:
        self.entered.set()
        self.gate.wait(10)
        if self.refuse:
            raise StoreError("the disk is full", where="store")
        self.kept.extend(readings)


def reading(number: int, points: int = 1) -> Reading:
    return Reading(START, f"d{number}", {f"p{i}_w": 1.0 for i in range(points)})


def names(readings: Sequence[Reading]) -> list[str]:
    return [each.device for each in readings]


async def test_a_batch_counts_as_stored_once_the_store_has_returned() -> None:
    store = MemoryStore()
    keeper = Keeper(store)  # type: ignore[arg-type]
    store.gate.clear()
    keeper.put(reading(1))
    flushing = asyncio.create_task(keeper.flush())
    await until(store.entered.is_set)
    assert (keeper.stored, keeper.waiting) == (0, 1)
    store.gate.set()
    assert await flushing
    assert (keeper.stored, keeper.waiting) == (1, 0)


async def test_19_a_refused_batch_is_kept_and_counted_and_stored_later_in_order() -> None:
    store = MemoryStore()
    keeper = Keeper(store)  # type: ignore[arg-type]
    store.refuse = True
    keeper.put(reading(1))
    assert not await keeper.flush()
    keeper.put(reading(2))
    assert (keeper.failures, keeper.stored, keeper.waiting) == (1, 0, 2)
    store.refuse = False
    assert await keeper.flush()
    assert names(store.kept) == ["d1", "d2"]


async def test_18_memory_is_bounded_and_what_goes_is_counted() -> None:
    store = MemoryStore()
    keeper = Keeper(store, most_points=10)  # type: ignore[arg-type]
    for number in range(20):
        keeper.put(reading(number))
    assert keeper.waiting == 5
    assert keeper.dropped == 15
    assert await keeper.flush()
    assert names(store.kept) == [f"d{n}" for n in range(15, 20)]


async def test_what_is_dropped_while_it_is_being_stored_is_not_lost() -> None:
    store = MemoryStore()
    keeper = Keeper(store, most_points=6)  # type: ignore[arg-type]
    store.gate.clear()
    for number in range(3):
        keeper.put(reading(number))
    flushing = asyncio.create_task(keeper.flush())
    await until(store.entered.is_set)
    for number in range(3, 5):
        keeper.put(reading(number))
    store.gate.set()
    assert await flushing
    assert names(store.kept) == ["d0", "d1", "d2", "d3", "d4"]
    assert (keeper.dropped, keeper.waiting, keeper.stored) == (0, 0, 5)


async def test_a_stop_in_the_middle_of_an_append_stores_everything_once() -> None:
    store = MemoryStore()
    keeper = Keeper(store)  # type: ignore[arg-type]
    store.gate.clear()
    keeper.put(reading(1))
    running = asyncio.create_task(keeper.run())
    await until(store.entered.is_set)
    keeper.put(reading(2))
    running.cancel()
    await asyncio.sleep(0)
    store.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert names(store.kept) == ["d1", "d2"]


async def test_every_reading_is_told_of_once_even_while_the_store_refuses() -> None:
    store, told = MemoryStore(), list[str]()
    keeper = Keeper(store, lambda batch: told.extend(names(batch)))  # type: ignore[arg-type]
    store.refuse = True
    keeper.put(reading(1))
    await keeper.flush()
    keeper.put(reading(2))
    await keeper.flush()
    store.refuse = False
    await keeper.flush()
    keeper.put(reading(3))
    await keeper.flush()
    assert told == ["d1", "d2", "d3"]


def test_an_error_that_is_no_refusal_ends_the_collector() -> None:
    class Broken:
        def append(self, readings: Sequence[Reading]) -> None:
            raise AssertionError(len(readings))

    async def go() -> None:
        keeper = Keeper(Broken())  # type: ignore[arg-type]
        keeper.put(reading(1))
        with pytest.raises(AssertionError):
            await keeper.flush()

    run_virtually(go())
