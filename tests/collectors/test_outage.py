"""Outages on virtual time: what a store misses is in it in the end, each reading once, or it is counted."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from igoudar.collectors import keep
from igoudar.collectors.keep import Keeper
from igoudar.collectors.quarantine import Quarantine
from igoudar.collectors.spool import Spool
from igoudar.core.errors import StoreBusyError, StoreError
from igoudar.core.model import Reading, SpoolRules

from .fake_disk import FakeDisk
from .rigs import START, run_virtually
from .spooled import reading

PERIOD_S, WINDOW_S = 10.0, 8.0
HOUR_S = 3600.0
WIDE = SpoolRules(most_bytes=50_000_000, hours=48.0)


@pytest.fixture(autouse=True)
def _seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours pass faster when nobody looks four times a second."""
    monkeypatch.setattr(keep, "LOOK_S", 2.0)


class AwayStore:
    """Takes nothing during its outage, and needs a moment for each append otherwise."""

    def __init__(self, away: tuple[float, float], *, local: bool) -> None:
        self.local, self.away = local, away
        self.kept: list[tuple[float, Reading]] = []
        self.poison = ""

    def append(self, readings: Sequence[Reading]) -> None:
        now_s = asyncio.get_running_loop().time()
        if self.away[0] <= now_s < self.away[1]:
            raise StoreBusyError("no answer", where="store")
        if self.poison in {each.device for each in readings}:
            raise StoreError("a field changed its type", where=self.poison)
        self.kept += [(now_s, each) for each in readings]

    def times(self) -> Counter[str]:
        return Counter(each.device for _, each in self.kept)


async def inline(work: Callable[..., Any], *args: Any) -> Any:
    """Stands for a thread; gives way, so that what waits for the loop gets on."""
    await asyncio.sleep(0)
    return work(*args)


class Run:
    """A collector's keeping half over one disk, which outlives restarts."""

    def __init__(self, store: AwayStore, rules: SpoolRules = WIDE) -> None:
        self.store, self.rules, self.disk, self.aside = store, rules, FakeDisk(), FakeDisk()
        self.read = 0
        self.acknowledged: set[str] = set()
        self.start()

    def start(self) -> None:
        self.keeper = Keeper(
            self.store,  # type: ignore[arg-type]
            Spool(self.disk, self.rules),
            Quarantine(self.aside, 1_000_000),
            acknowledged=lambda batch: self.acknowledged.update(each.device for each in batch),
            call=inline,
            window_s=WINDOW_S,
        )
        self.task = asyncio.create_task(self.keeper.run())

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))

    async def kill(self) -> None:
        """As SIGKILL: what was in memory is gone, and nothing more is written."""
        self.disk.cut_after = 0
        await self.stop()
        self.disk.power_cut()

    async def collect(self, seconds: float) -> None:
        for _ in range(round(seconds / PERIOD_S)):
            self.keeper.put(reading(self.read, at_s=self.read * PERIOD_S))
            self.read += 1
            await asyncio.sleep(PERIOD_S)

    async def settled(self) -> None:
        async with asyncio.timeout(HOUR_S):
            while self.keeper.spool.batches or self.keeper.waiting:
                await asyncio.sleep(0.1)


def virtually(go: Callable[[], Awaitable[None]]) -> None:
    async def work() -> None:
        await go()

    run_virtually(work())


@pytest.mark.parametrize("local", [True, False])
def test_lesson_18_an_outage_of_13_hours_loses_nothing_from_its_first_second_on(local: bool) -> None:
    async def go() -> None:
        store = AwayStore((600.0, 600.0 + 13 * HOUR_S), local=local)
        run = Run(store)
        await run.collect(600 + 13 * HOUR_S - 60)
        assert run.keeper.spool.batches == pytest.approx((13 * HOUR_S - 60) / PERIOD_S, abs=2)
        assert not run.keeper.courier.up
        assert run.keeper.courier.failures < 13 * HOUR_S / 20  # tried ever more slowly, but for ever
        await run.collect(300)
        await run.settled()
        assert store.times() == Counter(f"d{n}" for n in range(run.read))
        assert (run.keeper.dropped, run.keeper.courier.up) == (0, True)
        await run.stop()

    virtually(go)


def test_lesson_18_a_full_spool_recovers_unaided_and_keeps_the_newest_hours() -> None:
    async def go() -> None:
        store = AwayStore((60.0, 60.0 + 6 * HOUR_S), local=False)
        run = Run(store, SpoolRules(most_bytes=50_000_000, hours=2.0))
        await run.collect(6 * HOUR_S)
        assert 0 < run.keeper.dropped < run.read
        await run.collect(600)
        await run.settled()
        missing = {f"d{n}" for n in range(run.read)} - set(store.times())
        assert len(missing) == run.keeper.dropped
        kept = sorted(each.at for _, each in store.kept if each.at > START + timedelta(seconds=60))
        assert kept[-1] - kept[0] >= timedelta(hours=2)
        await run.stop()

    virtually(go)


def test_lesson_18_the_spool_survives_a_restart_in_the_outage_and_power_cuts() -> None:
    async def go() -> None:
        store = AwayStore((30.0, 4000.0), local=True)
        run = Run(store)
        for _ in range(12):
            await run.collect(300)
            await run.kill()
            run.start()
        await run.collect(900)
        await run.settled()
        assert run.acknowledged <= set(store.times())
        assert len(run.acknowledged) >= run.read - 13  # a kill costs what its window held
        await run.stop()

    virtually(go)


def test_lesson_19_live_readings_go_before_the_backlog_which_drains_beside_them() -> None:
    async def go() -> None:
        store = AwayStore((30.0, 2 * HOUR_S), local=False)
        run = Run(store)
        await run.collect(2 * HOUR_S + 120)
        await run.settled()
        ages_s = [now_s - (each.at - START).total_seconds() for now_s, each in store.kept]
        back = next(index for index, age_s in enumerate(ages_s) if age_s > HOUR_S)
        first_live = next(index for index in range(back, len(ages_s)) if ages_s[index] < 2 * PERIOD_S)
        assert ages_s[first_live:][-1] < 2 * PERIOD_S
        assert store.kept[first_live][0] - store.kept[back][0] < 2 * PERIOD_S
        await run.stop()

    virtually(go)


def test_lesson_19_a_replay_does_not_stop_half_way_at_damage_poison_or_a_second_outage() -> None:
    async def go() -> None:
        store = AwayStore((30.0, HOUR_S), local=False)
        run = Run(store)
        await run.collect(1800)
        store.poison = "d100"
        name = max((n for n in run.disk.files if n.endswith(".seg")), key=lambda n: len(run.disk.files[n]))
        run.disk.files[name][len(run.disk.files[name]) // 2] ^= 0xFF
        await run.collect(1800 - 10)
        store.away = (HOUR_S + 1, HOUR_S + 600)
        await run.collect(1200)
        await run.settled()
        lost = {f"d{n}" for n in range(run.read)} - set(store.times())
        assert "d100" in lost
        assert len(lost) == 2
        assert (run.keeper.quarantine.readings, run.keeper.spool.corrupt) == (1, 1)
        assert max(store.times().values()) == 1
        await run.stop()

    virtually(go)


def test_lesson_19_a_restart_does_not_send_everything_again() -> None:
    async def go() -> None:
        store = AwayStore((30.0, HOUR_S), local=False)
        run = Run(store)
        await run.collect(HOUR_S + 120)
        await run.settled()
        before = len(store.kept)
        for _ in range(5):
            await run.stop()
            run.start()
            await asyncio.sleep(60)
        assert len(store.kept) == before
        await run.stop()

    virtually(go)


def test_lesson_19_nothing_is_lost_without_a_count_when_no_disk_takes_anything() -> None:
    async def go() -> None:
        store = AwayStore((30.0, 3000.0), local=True)
        run = Run(store)
        run.keeper._most_points = 150
        await run.collect(60)
        run.disk.refuse = True
        await run.collect(2000)
        assert run.keeper.spool_refuses
        assert run.keeper.memory_dropped > 0
        run.disk.refuse = False
        await run.collect(1500)
        await run.settled()
        assert len(store.times()) + run.keeper.dropped == run.read
        assert max(store.times().values()) == 1
        assert not run.keeper.spool_refuses
        await run.stop()

    virtually(go)


def test_lesson_19_appends_that_fail_at_random_store_everything_once() -> None:
    async def go() -> None:
        chance = random.Random(7)  # noqa: S311
        store = AwayStore((0.0, 0.0), local=True)
        run = Run(store)
        for _ in range(200):
            now_s = asyncio.get_running_loop().time()
            store.away = (now_s, now_s + chance.choice((0.0, 3.0, 20.0)))
            run.disk.refuse = chance.random() < 0.2
            await run.collect(PERIOD_S * chance.randrange(1, 8))
        store.away, run.disk.refuse = (0.0, 0.0), False
        await run.collect(60)
        await run.settled()
        assert store.times() == Counter(f"d{n}" for n in range(run.read))
        await run.stop()

    virtually(go)
