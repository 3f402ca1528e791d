"""Batches: durable before they count, kept while the store refuses, bounded, never twice."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from igoudar.collectors.keep import Keeper
from igoudar.collectors.quarantine import Quarantine
from igoudar.collectors.spool import Spool
from igoudar.core.errors import StoreBusyError, StoreError, StoreRefusedError
from igoudar.core.model import Reading, SpoolRules

from .fake_disk import FakeDisk
from .rigs import START, run_virtually, until

RULES = SpoolRules(most_bytes=1_000_000)


class MemoryStore:
    """The appending half of a store, which refuses or stalls when told to."""

    local = True

    def __init__(self) -> None:
        self.kept: list[Reading] = []
        self.batches = 0
        self.refuse: Callable[[Sequence[Reading]], None] = accept
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def append(self, readings: Sequence[Reading]) -> None:
        self.entered.set()
        self.gate.wait(10)
        self.refuse(readings)
        self.batches += 1
        self.kept.extend(readings)


class Remote(MemoryStore):
    """A store behind a network."""

    local = False


def accept(_: Sequence[Reading]) -> None:
    """Nothing to complain of."""


def full(_: Sequence[Reading]) -> None:
    raise StoreBusyError("the disk is full", where="store")


def poison(name: str) -> Callable[[Sequence[Reading]], None]:
    """Refuses every batch that holds a certain device, for ever."""

    def refuse(readings: Sequence[Reading]) -> None:
        if name in names(readings):
            raise StoreError("a field changed its type", where=name)

    return refuse


class Rig:
    """A keeper over disks that can refuse."""

    def __init__(self, store: MemoryStore, disk: FakeDisk | None = None, **rest: Any) -> None:
        self.store, self.disk, self.aside = store, disk or FakeDisk(), FakeDisk()
        self.spool = Spool(self.disk, RULES)
        self.keeper = Keeper(store, self.spool, Quarantine(self.aside, 100_000), **rest)  # type: ignore[arg-type]


def reading(number: int, points: int = 1) -> Reading:
    return Reading(START, f"d{number}", {f"p{i}_w": 1.0 for i in range(points)})


def names(readings: Sequence[Reading]) -> list[str]:
    return [each.device for each in readings]


async def test_a_batch_counts_once_the_store_on_this_machine_has_returned() -> None:
    rig = Rig(MemoryStore(), window_s=60.0)
    rig.store.gate.clear()
    rig.keeper.put(reading(1))
    flushing = asyncio.create_task(rig.keeper.flush())
    await until(rig.store.entered.is_set)
    assert (rig.keeper.acknowledged, rig.keeper.waiting) == (0, 1)
    rig.store.gate.set()
    assert await flushing
    assert (rig.keeper.acknowledged, rig.keeper.waiting, rig.keeper.courier.stored) == (1, 0, 1)
    assert rig.disk.calls == 0  # nothing was written twice


async def test_a_store_that_dawdles_does_not_stretch_the_window() -> None:
    rig = Rig(MemoryStore(), window_s=0.02)
    rig.store.gate.clear()
    for number in (1, 2):
        rig.keeper.put(reading(number))
        assert await rig.keeper.flush()
    assert (rig.keeper.acknowledged, rig.spool.batches) == (2, 2)
    rig.store.gate.set()
    await until(lambda: rig.keeper.courier.stored == 1)
    await until(lambda: rig.spool.batches == 1)
    assert await rig.keeper.drain()
    assert names(rig.store.kept) == ["d1", "d2"]


async def test_a_store_elsewhere_gets_only_what_the_spool_holds() -> None:
    rig = Rig(Remote())
    rig.store.gate.clear()
    rig.keeper.put(reading(1))
    assert await rig.keeper.flush()
    assert (rig.keeper.acknowledged, rig.keeper.courier.stored, rig.spool.batches) == (1, 0, 1)
    rig.store.gate.set()
    await until(lambda: rig.spool.batches == 0)
    assert names(rig.store.kept) == ["d1"]
    assert not await rig.keeper.drain()


@pytest.mark.parametrize("store", [MemoryStore, Remote])
async def test_a_refused_batch_is_kept_and_counted_and_stored_later(store: type[MemoryStore]) -> None:
    rig = Rig(store())
    rig.store.refuse = full
    rig.keeper.put(reading(1))
    assert await rig.keeper.flush()
    await until(lambda: rig.keeper.courier.failures == 1)
    rig.keeper.put(reading(2))
    assert await rig.keeper.flush()
    assert (rig.keeper.courier.stored, rig.keeper.acknowledged, rig.spool.batches) == (0, 2, 2)
    rig.store.refuse = accept
    async with asyncio.timeout(10):
        while not await rig.keeper.drain():
            await asyncio.sleep(0.02)
    assert names(rig.store.kept) == ["d1"]  # one batch shows whether it is back
    assert await rig.keeper.drain()
    assert names(rig.store.kept) == ["d1", "d2"]
    assert rig.keeper.courier.up


async def test_what_neither_disk_takes_waits_in_memory_counted_and_goes_unaided() -> None:
    rig = Rig(MemoryStore(), most_points=10)
    rig.store.refuse, rig.disk.refuse = full, True
    for number in range(4):
        rig.keeper.put(reading(number))
        assert not await rig.keeper.flush()
    assert rig.keeper.spool_refuses
    assert (rig.keeper.waiting, rig.keeper.spool_failures, rig.keeper.acknowledged) == (4, 4, 0)
    for number in range(4, 20):
        rig.keeper.put(reading(number))
    assert (rig.keeper.waiting, rig.keeper.dropped) == (5, 15)
    rig.disk.refuse = False
    assert await rig.keeper.flush()
    assert not rig.keeper.spool_refuses
    assert (rig.keeper.waiting, rig.spool.batches) == (0, 1)


async def test_a_full_spool_disk_does_not_stop_a_store_elsewhere() -> None:
    rig = Rig(Remote())
    rig.disk.refuse = True
    rig.keeper.put(reading(1))
    assert await rig.keeper.flush()
    assert names(rig.store.kept) == ["d1"]


async def test_what_is_dropped_while_it_is_being_stored_is_not_lost() -> None:
    rig = Rig(MemoryStore(), most_points=6, window_s=60.0)
    rig.store.gate.clear()
    for number in range(3):
        rig.keeper.put(reading(number))
    flushing = asyncio.create_task(rig.keeper.flush())
    await until(rig.store.entered.is_set)
    for number in range(3, 5):
        rig.keeper.put(reading(number))
    rig.store.gate.set()
    assert await flushing
    assert names(rig.store.kept) == ["d0", "d1", "d2", "d3", "d4"]
    assert (rig.keeper.dropped, rig.keeper.waiting, rig.keeper.acknowledged) == (0, 0, 5)


async def test_a_stop_in_the_middle_of_an_append_keeps_everything_once() -> None:
    rig = Rig(MemoryStore(), window_s=0.2)
    rig.store.gate.clear()
    rig.keeper.put(reading(1))
    running = asyncio.create_task(rig.keeper.run())
    await until(rig.store.entered.is_set)
    rig.keeper.put(reading(2))
    running.cancel()
    await asyncio.sleep(0)
    rig.store.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert set(names(rig.store.kept)) == {"d1", "d2"}


async def test_every_reading_is_told_of_once_even_while_nothing_takes_it() -> None:
    told = list[str]()
    rig = Rig(MemoryStore(), tell=lambda batch: told.extend(names(batch)))
    rig.store.refuse, rig.disk.refuse = full, True
    rig.keeper.put(reading(1))
    await rig.keeper.flush()
    rig.keeper.put(reading(2))
    await rig.keeper.flush()
    rig.disk.refuse = False
    await rig.keeper.flush()
    rig.keeper.put(reading(3))
    await rig.keeper.flush()
    assert told == ["d1", "d2", "d3"]


async def test_poison_is_found_and_set_aside_and_the_rest_is_stored() -> None:
    rig = Rig(MemoryStore())
    rig.store.refuse = poison("d7")
    for number in range(40):
        rig.keeper.put(reading(number))
    assert await rig.keeper.flush()
    assert set(names(rig.store.kept)) == {f"d{n}" for n in range(40) if n != 7}
    ((name, content),) = rig.aside.files.items()
    assert name.endswith(".json")
    assert b"a field changed its type" in content
    assert b'"d7"' in content
    assert (rig.keeper.quarantine.readings, rig.spool.batches, rig.keeper.courier.up) == (1, 0, True)


async def test_what_a_store_names_as_refused_is_set_aside_without_a_search() -> None:
    def refuse(readings: Sequence[Reading]) -> None:
        at = names(readings).index("d2")
        rig.store.kept.extend(each for each in readings if each.device != "d2")
        raise StoreRefusedError("refused", where="bucket", refused={at: "type conflict on f"})

    rig = Rig(MemoryStore())
    rig.store.refuse = refuse
    for number in range(4):
        rig.keeper.put(reading(number))
    assert await rig.keeper.flush()
    assert names(rig.store.kept) == ["d0", "d1", "d3"]
    assert b"type conflict on f" in next(iter(rig.aside.files.values()))
    assert rig.keeper.courier.stored == 3


async def test_a_batch_that_trips_the_store_does_not_do_so_for_ever() -> None:
    def trip(_: Sequence[Reading]) -> None:
        raise AssertionError("a mistake of ours")

    rig = Rig(MemoryStore())
    rig.store.refuse = trip
    rig.keeper.put(reading(1))
    assert await rig.keeper.flush()
    assert b"a mistake of ours" in next(iter(rig.aside.files.values()))
    rig.store.refuse = accept
    rig.keeper.put(reading(2))
    assert await rig.keeper.flush()
    assert names(rig.store.kept) == ["d2"]


async def test_a_quarantine_that_can_not_be_written_keeps_the_poison_waiting() -> None:
    rig = Rig(MemoryStore())
    rig.store.refuse, rig.aside.refuse = poison("d1"), True
    rig.keeper.put(reading(1))
    assert await rig.keeper.flush()
    assert (rig.keeper.quarantine.readings, rig.spool.batches) == (0, 1)


def test_a_full_quarantine_drops_its_oldest_and_counts_it() -> None:
    disk = FakeDisk()
    aside = Quarantine(disk, 500)
    for number in range(20):
        aside.keep([reading(number)], "never")
    aside.keep([reading(19)], "never")
    assert aside.readings == 20
    assert aside.dropped > 10
    assert sum(disk.sizes().values()) <= 500


def test_the_pause_between_tries_grows_and_ends_with_the_outage() -> None:
    tries = list[float]()

    def refuse(_: Sequence[Reading]) -> None:
        tries.append(loop.time())
        if loop.time() < 600:
            raise StoreBusyError("away")

    async def inline(work: Callable[..., Any], *args: Any) -> Any:
        return work(*args)

    async def go() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        rig = Rig(MemoryStore(), call=inline)
        rig.store.refuse = refuse
        running = asyncio.create_task(rig.keeper.run())
        rig.keeper.put(reading(1))
        await asyncio.sleep(700)
        running.cancel()
        await asyncio.wait((running,))
        assert names(rig.store.kept) == ["d1"]

    loop: Any = None
    run_virtually(go())
    waits = [after - before for before, after in pairwise(tries)]
    assert 20 < len(tries) < 40
    assert max(waits) < 40
    assert waits[0] < 2
