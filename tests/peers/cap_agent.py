"""One node's cap agent on loopback, over mutual TLS, with the stand-in for NVML, and control's link to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.control.actuation.cap_client import CapClient
from igoudar.control.actuation.caps import CapAgentLink
from igoudar.control.caps_agent import service
from igoudar.control.caps_agent.config import AgentConfig, Rules
from igoudar.core.clock import ManualClock
from igoudar.core.model_caps import CapAgent, Capping
from tests.peers.authority import Authority
from tests.peers.nvml import VARIABLE, Node, compiled, preloaded

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Boot:
    """The agent's boot clock."""

    boot_id: str = "boot-1"
    seconds: float = 1000.0

    def now_s(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)


@dataclass
class Rig:
    """One node with its agent, and the link to it."""

    link: CapAgentLink
    node: Node
    clock: ManualClock
    boot: Boot
    config: AgentConfig
    running: AsyncExitStack

    async def stop(self) -> None:
        """Stop the agent cleanly."""
        await self.running.aclose()

    async def start(self) -> None:
        """Start it again, at the same address."""
        self.running = AsyncExitStack()
        await self.running.enter_async_context(agent(self.config, self.boot))


@asynccontextmanager
async def agent(config: AgentConfig, boot: Boot) -> AsyncIterator[int]:
    """The agent in a task of its own."""
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(service.run(config, clock=boot, ready=listening.set_result))
    try:
        yield await listening
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def rig(folder: Path, monkeypatch: pytest.MonkeyPatch, verify_s: float = 600.0) -> AsyncIterator[Rig]:
    """All of it, in `folder`."""
    preloaded(compiled(folder))
    node, boot = Node(folder / "gpus"), Boot()
    monkeypatch.setenv(VARIABLE, str(node.file))
    authority = Authority(folder)
    certificate, key = authority.issue("gpu-node-1")
    rules = Rules(500.0, 1100.0, 1000.0, 3600.0, verify_s)
    config = AgentConfig(
        "127.0.0.1", 0, certificate, key, authority.ca, frozenset({"control"}), folder / "agent", rules
    )
    ours = authority.issue("control")
    async with AsyncExitStack() as stack:
        running = AsyncExitStack()
        port = await running.enter_async_context(agent(config, boot))
        capping = Capping(
            (CapAgent("gpu-node-1", f"https://127.0.0.1:{port}", ("a1-01",), 2),),
            *(str(file) for file in (authority.ca, *ours)),
            minimum_w=400.0,
            default_w=1000.0,
            life_s=600.0,
        )
        client = CapClient(capping)
        stack.push_async_callback(client.close)
        clock = ManualClock(NOW)
        (folder / "state").mkdir()
        link = CapAgentLink(capping, folder / "state", clock, client)
        one = Rig(link, node, clock, boot, replace(config, port=port), running)
        try:
            yield one
        finally:
            await one.stop()
