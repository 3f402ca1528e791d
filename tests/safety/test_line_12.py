"""12. The heartbeat to the plant stops when the control loop stalls, even while the process lives."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from igoudar.collectors.authority import Authority
from tests.collectors.rigs import run_virtually

from .plant import AUTO, SETTLE_S, Plant, plant

LEASE_S = 30.0
BEAT = "controller_heartbeat_count"


def beating(state: Path, act: Callable[[Plant], Awaitable[None]]) -> None:
    """Run `act` on virtual time beside the heart of the battery."""

    async def go() -> None:
        async with plant(state, wall=asyncio.get_running_loop().time) as site:
            await site.look()
            await asyncio.sleep(SETTLE_S)
            heart = asyncio.create_task(site.heart.beat(site.stations["battery"]))
            await act(site)
            heart.cancel()
            await asyncio.wait((heart,))

    run_virtually(go(), sockets=True)


async def control(site: Plant, seconds: int, *, turning: bool, mode: str = "auto") -> None:
    """A control process that renews its lease every second; its loop turns or not."""
    for _ in range(seconds):
        site.cycle += turning
        modes = dict.fromkeys(AUTO, mode)
        site.mandate.take(Authority(1, "test", LEASE_S, modes, (), site.cycle))
        await asyncio.sleep(1.0)


def beats(site: Plant) -> list[float | None]:
    """What was counted so far."""
    return [value for point, value in site.wrote if point == BEAT]


def test_line_12_it_counts_on_while_the_loop_turns(tmp_path: Path) -> None:
    async def act(site: Plant) -> None:
        await control(site, 10, turning=True)
        counted = beats(site)
        assert 5 <= len(counted) <= 11
        assert counted == [42.0 + i for i in range(len(counted))]  # from what the device had

    beating(tmp_path, act)


def test_line_12_it_stops_when_the_loop_stalls_although_the_lease_is_kept(tmp_path: Path) -> None:
    async def act(site: Plant) -> None:
        await control(site, 10, turning=True)
        counted = len(beats(site))
        await control(site, 60, turning=False)
        assert site.mandate.valid
        assert len(beats(site)) - counted <= 4
        await control(site, 5, turning=True)
        assert len(beats(site)) - counted >= 2

    beating(tmp_path, act)


def test_line_12_it_stops_with_the_process_with_hands_off_and_in_observe(tmp_path: Path) -> None:
    async def act(site: Plant) -> None:
        await control(site, 5, turning=True)
        counted = len(beats(site))
        await asyncio.sleep(60)  # killed: nothing comes any more
        assert len(beats(site)) - counted <= 4
        (tmp_path / "handsoff").touch()
        counted = len(beats(site))
        await control(site, 10, turning=True)
        assert len(beats(site)) == counted
        (tmp_path / "handsoff").unlink()
        await control(site, 10, turning=True, mode="observe")
        assert len(beats(site)) == counted

    beating(tmp_path, act)


def test_line_12_a_site_that_does_not_allow_it_sends_none(tmp_path: Path) -> None:
    async def act(site: Plant) -> None:
        for name in ("inverter", "battery"):  # the one has no such point, the other is not allowed it
            station = site.stations[name]
            station.device = replace(station.device, allow=frozenset())
            await asyncio.wait_for(site.heart.beat(station), 1)
        assert not site.recorder.written

    beating(tmp_path, act)
