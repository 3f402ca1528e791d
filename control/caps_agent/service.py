"""The agent as a whole: book, GPUs, timer and server under one roof."""

import asyncio
import logging
from collections.abc import Callable

from igoudar.control.caps_agent.book import open_book
from igoudar.control.caps_agent.boot import BootClock, LinuxClock
from igoudar.control.caps_agent.config import AgentConfig
from igoudar.control.caps_agent.keeper import Keeper
from igoudar.control.caps_agent.node import Node
from igoudar.control.caps_agent.nvml import Nvml
from igoudar.control.caps_agent.server import Server

LOG = logging.getLogger(__name__)


async def run(
    config: AgentConfig, *, clock: BootClock | None = None, ready: Callable[[int], None] | None = None
) -> None:
    """Serve until cancelled; then the GPUs have their default again.

    Args:
        config: The agent's file.
        clock: Of this boot; the kernel's unless a test brings its own.
        ready: Called with the port once it listens.

    Raises:
        ConfigError: an address or file that can't be used.
        StoreError: what was promised before can't be read.
    """
    clock = clock or LinuxClock.of_this_boot()
    nvml = Nvml()
    keeper = Keeper(nvml, config.rules, open_book(config.state, clock), config.state, clock)
    node = Node(keeper, nvml)
    try:
        async with Server(config, node).listening() as port:
            LOG.info("listening on %s:%d", config.host, port)
            if ready is not None:
                ready(port)
            await node.keep()
    finally:
        await asyncio.shield(node.release())
