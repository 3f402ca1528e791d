"""The scheduler that a site names, opened for as long as somebody uses it."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from igoudar.control.actuation.schedulers import Scheduler
from igoudar.control.actuation.schedulers.simulated import SimulatedScheduler
from igoudar.control.actuation.schedulers.slurm.scheduler import SlurmScheduler
from igoudar.core import handsoff
from igoudar.core.clock import Clock
from igoudar.core.errors import LinkError
from igoudar.core.model import Site


@asynccontextmanager
async def open_scheduler(
    site: Site, state: Path, clock: Clock, held: Callable[[], bool] = lambda: True
) -> AsyncIterator[Scheduler]:
    """The scheduler of `site`; a simulated one is found through the state folder, at each call anew.

    `held` says whether the lease is ours: a Slurm that many ask is asked for nothing once it is lost.

    Raises:
        ConfigError: what the site file says of its Slurm is not so.
    """
    if site.scheduler.kind == "slurm":
        slurm = SlurmScheduler(site, clock, lambda: forbidden(state, held))
        await slurm.start()
        yield slurm
        return
    scheduler = SimulatedScheduler(lambda: scheduler_address(state))
    try:
        yield scheduler
    finally:
        await scheduler.close()


def forbidden(state: Path, held: Callable[[], bool]) -> str:
    """Why nothing may be sent at this moment, "" = it may."""
    if handsoff.is_on(state):
        return "hands_off"
    return "" if held() else "no_lease"


def endpoints(state: Path) -> Mapping[str, object]:
    """`STATE/endpoints.json`, empty where nothing is simulated."""
    try:
        document = json.loads((state / "endpoints.json").read_text())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def scheduler_address(state: Path) -> str:
    """Where the simulated scheduler listens.

    Raises:
        LinkError: while nobody says.
    """
    address = endpoints(state).get("scheduler")
    if not isinstance(address, str):
        raise LinkError(
            "no scheduler is known", where=str(state / "endpoints.json"), fix="start `igoudar up`"
        )
    return address
