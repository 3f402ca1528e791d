"""Lessons 11 and 12: the poll survives what comes, without piling up tasks or file descriptors."""

import asyncio
import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop

from igoudar.collectors.faults import Backoff, LinkFault
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_wire import Tcp
from igoudar.core.model import ModbusRules, Reason
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import run_virtually

from .polling import polling, product, well

HOUR_S = 3600.0
RECONNECTS = 10_000


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_lesson_11_thirteen_hours_without_the_server_and_it_resumes() -> None:
    async def go() -> None:
        meter = product([0], period_s=30.0)
        async with hostile(well) as server:
            port = server.port
        async with polling(meter, port, (1, 2, 3)) as polled:
            tasks = len(asyncio.all_tasks())
            await asyncio.sleep(13 * HOUR_S)
            assert len(asyncio.all_tasks()) <= tasks
            assert {r.gap.reason for _, r in polled.readings if r.gap} == {Reason.NO_CONNECTION}
            assert len(polled.of("u1")) == pytest.approx(13 * 120, abs=3)
            async with hostile(well, port=port):
                await asyncio.sleep(100)
            for unit in (1, 2, 3):
                assert {"r0_w": 7.0} in polled.values(f"u{unit}")[-4:]

    run_virtually(go(), sockets=True)


def test_lesson_11_a_server_slower_than_the_period_never_piles_up_tasks() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()

        async def crawl(asked: Asked, writer: asyncio.StreamWriter) -> None:
            loop.call_later(2.9, writer.write, asked.right())

        async with (
            hostile(crawl) as server,
            polling(product([0, 40], period_s=5.0), server.port, range(1, 9)) as polled,
        ):
            await asyncio.sleep(20)
            tasks = len(asyncio.all_tasks())
            await asyncio.sleep(600)
            assert len(asyncio.all_tasks()) <= tasks
            assert polled.tally.overruns > 100
            assert server.connections == 1

    run_virtually(go(), sockets=True)


@pytest.mark.parametrize("error", [RuntimeError("bug"), ValueError("bad"), OSError(9, "bad descriptor")])
def test_lesson_11_an_exception_that_no_link_should_raise_is_a_gap_and_the_poll_goes_on(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go() -> None:
        def fails(*_: object) -> None:
            raise error

        async with hostile(well) as server, polling(product([0]), server.port) as polled:
            await asyncio.sleep(12)
            with monkeypatch.context() as patch:
                patch.setattr(ModbusLink, "read", fails)
                await asyncio.sleep(12)
            await asyncio.sleep(12)
        assert polled.values("u1")[0] == polled.values("u1")[-1] == {"r0_w": 7.0}
        assert any(reading.gap for reading in polled.of("u1"))

    run_virtually(go(), sockets=True)


def test_lesson_12_file_descriptors_stay_flat_over_10_000_reconnects() -> None:
    async def go() -> tuple[int, int]:
        async with hostile(well) as server:
            link = ModbusLink(Tcp("127.0.0.1", server.port), ModbusRules(), Backoff(0.0))
            await link.read(1, 3, 0, 1)
            before = most = descriptors()
            for number in range(RECONNECTS):
                link.release()
                await link.read(1, 3, 0, 1)
                if number % 100 == 0:
                    most = max(most, descriptors())
            link.release()
            assert server.connections == RECONNECTS + 1
        return before, most

    before, most = uvloop.run(go())
    assert most <= before + 4


def test_lesson_12_nor_do_refused_connections_leave_any_behind() -> None:
    async def go() -> tuple[int, int]:
        async with hostile(well) as server:
            port = server.port
        link = ModbusLink(Tcp("127.0.0.1", port), ModbusRules(), Backoff(0.0))
        with pytest.raises(LinkFault):
            await link.connect()
        before = descriptors()
        for _ in range(1000):
            with pytest.raises(LinkFault):
                await link.connect()
        return before, descriptors()

    before, after = uvloop.run(go())
    assert after <= before


@contextmanager
def black_hole() -> Iterator[int]:
    """A port whose queue is full: who connects there hears nothing, neither yes nor no."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        crowd = [socket.socket() for _ in range(4)]
        for each in crowd:
            each.setblocking(False)
            each.connect_ex(address)
        try:
            yield address[1]
        finally:
            for each in crowd:
                each.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_lesson_12_a_black_holed_connect_obeys_its_timeout(run: object) -> None:
    async def go(port: int) -> tuple[float, str, int, int]:
        loop = asyncio.get_running_loop()
        link = ModbusLink(Tcp("127.0.0.1", port), ModbusRules(timeout_s=0.2), Backoff(0.0))
        await failure(link)
        before, began = descriptors(), loop.time()
        text = ""
        for _ in range(5):
            text = await failure(link)
        took = loop.time() - began
        gc.collect()
        return took, text, before, descriptors()

    with black_hole() as port:
        took, text, before, after = run(go(port))  # type: ignore[operator]
    assert 0.9 <= took < 5.0
    assert "in time" in text
    assert after <= before


async def failure(link: ModbusLink) -> str:
    with pytest.raises(LinkFault) as caught:
        await link.read(1, 3, 0, 1)
    assert caught.value.reason is Reason.NO_CONNECTION
    return str(caught.value)
