"""Calls that are cancelled: their work goes on in a thread, and nothing runs beside it."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.control.caps_agent.conftest import Boots, keeper
from tests.peers.nvml import Node as Gpus

from igoudar.collectors.results import Rejected, Result
from igoudar.control.caps_agent.asking import Asked
from igoudar.control.caps_agent.keeper import Keeper
from igoudar.control.caps_agent.node import Node
from igoudar.control.caps_agent.nvml import Nvml

WAIT_S = 20.0
ASKED = Asked("all", "c1", 700.0, 600.0)


async def test_a_cap_whose_caller_is_cancelled_is_set_before_the_release_and_not_after(
    node: Gpus, tmp_path: Path, clock: Boots, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = threading.Event(), threading.Event()
    plain = Keeper.set_cap

    def slow(of: Keeper, asked: Asked) -> Result:
        began.set()
        assert go_on.wait(WAIT_S)
        return plain(of, asked)

    monkeypatch.setattr(Keeper, "set_cap", slow)
    agent = Node(keeper(tmp_path, clock), Nvml())
    call = asyncio.create_task(agent.set_cap(ASKED))
    assert await asyncio.to_thread(began.wait, WAIT_S)
    call.cancel()
    release = asyncio.create_task(agent.release())
    await asyncio.wait([call, release], timeout=0.05)
    call.cancel()  # again: it still waits for its thread
    await asyncio.wait([call, release], timeout=0.05)
    assert not call.done()
    assert not release.done()
    go_on.set()
    async with asyncio.timeout(WAIT_S):
        await release
    assert call.cancelled()
    assert node.limits_w == [1000.0, 1000.0]


async def test_after_the_release_no_cap_is_set_nor_put_back(node: Gpus, tmp_path: Path, clock: Boots) -> None:
    agent = Node(keeper(tmp_path, clock), Nvml())
    await agent.set_cap(ASKED)
    await agent.release()
    assert await agent.set_cap(Asked("all", "c2", 800.0, 600.0)) == Rejected("stopping")
    await agent._tick()
    assert node.limits_w == [1000.0, 1000.0]
