"""Waiting for what other parts write into the state folder, and finding free ports."""

import asyncio
import json
import socket
from contextlib import closing
from pathlib import Path

from igoudar.collectors.endpoints import Endpoints, read_endpoints
from igoudar.core.clock import SiteClock
from igoudar.core.errors import ConfigError

PAUSE_S = 0.05
PATIENCE_S = 120.0


async def endpoints_of_run(folder: Path, run_id: str) -> Endpoints:
    """Wait until the endpoints of `run_id` are there (of any run when it is "").

    Raises:
        ConfigError: nobody wrote them in time.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while asyncio.get_running_loop().time() < deadline:
        if all((folder / name).exists() for name in ("endpoints.json", "clock.json")):
            found = read_endpoints(folder / "endpoints.json")
            if run_id in ("", found.run_id):
                return found
        await asyncio.sleep(PAUSE_S)
    raise ConfigError(
        f"no endpoints after {PATIENCE_S:.0f} s",
        where=str(folder),
        fix="start `igoudar simulate` with the same --state",
    )


def site_clock(folder: Path) -> SiteClock:
    """The clock that `simulate` or `run` wrote."""
    return SiteClock.load(folder / "clock.json")


async def api_address(folder: Path) -> str:
    """Wait for the API's address.

    Raises:
        ConfigError: no API in time.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while asyncio.get_running_loop().time() < deadline:
        try:
            return str(json.loads((folder / "api.json").read_text())["url"])
        except (OSError, ValueError, KeyError):
            await asyncio.sleep(PAUSE_S)
    raise ConfigError(
        f"no API after {PATIENCE_S:.0f} s", where=str(folder), fix="start `igoudar control` first"
    )


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def claim_port(port: int, option: str) -> int:
    """`port` when nobody listens on it, a free one when it is 0.

    Raises:
        ConfigError: the port is taken.
    """
    if port == 0:
        return free_port()
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigError(
                f"port {port} can't be used ({error.strerror})",
                where="127.0.0.1",
                fix=f"stop what listens there, or pass {option} with another port (0 = any free)",
            ) from error
    return port
