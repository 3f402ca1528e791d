"""`igoudar up`: a whole site in one process tree."""

import asyncio
import contextlib
import signal
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from igoudar.app.parts import Part, Supervisor
from igoudar.app.state import write_whole
from igoudar.app.summary import Run, Start
from igoudar.app.waiting import api_address, claim_port
from igoudar.control.client import ApiClient
from igoudar.core.clock import wall_clock
from igoudar.core.errors import IgoudarError, LinkError

FRESH = ("endpoints.json", "clock.json", "api.json", "parts.json", "collect.sock", "heartbeat.json")


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asked for."""

    site: str
    speed: float
    seed: int
    api_port: int
    dashboard_port: int
    resource: Path | None = None
    jobs: Path | None = None
    for_s: float | None = None
    addresses: Mapping[str, str] | None = None  # of real devices; None = simulate them


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of one run and the addresses people use."""

    run_id: str
    parts: list[Part]
    dashboard_url: str


def plan(options: Options, state: Path) -> Plan:
    """Choose ports and commands.

    Raises:
        ConfigError: a port is taken.
    """
    api = claim_port(options.api_port, "--api-port")
    page = claim_port(options.dashboard_port, "--dashboard-port")
    run_id = uuid.uuid4().hex
    common = [options.site, "--state", str(state)]
    parts = [
        Part("failsafe", _command("failsafe", *common)),  # stopped after control: nothing stays paused
        Part("collect", _command("collect", *common, "--run-id", run_id)),
        Part("control", _command("control", *common, "--run-id", run_id, *_control(options, api))),
        Part("dashboard", _command("dashboard", *common, "--dashboard-port", str(page)), quiet=True),
    ]
    if options.addresses is None:
        parts.insert(0, Part("simulate", _command("simulate", *common, *_plant(options), "--run-id", run_id)))
    return Plan(run_id, parts, f"http://127.0.0.1:{page}")


def _control(options: Options, api_port: int) -> list[str]:
    """The resource's file stands for the site's climate: forecasts learn its usual days, never its dates."""
    learned = ["--resource", str(options.resource.resolve())] if options.resource else []
    return ["--api-port", str(api_port), *learned]


def _plant(options: Options) -> list[str]:
    chosen = ["--speed", str(options.speed), "--seed", str(options.seed)]
    if options.resource:
        chosen += ["--resource", str(options.resource.resolve())]
    if options.jobs:
        chosen += ["--jobs", str(options.jobs.resolve())]
    return chosen


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "igoudar.app.main", *words]


def forget_last_run(state: Path) -> None:
    """Remove what only holds while a run lasts."""
    for name in FRESH:
        (state / name).unlink(missing_ok=True)


def publish_real(addresses: Mapping[str, str], run_id: str, state: Path) -> None:
    """Write the wall clock and the devices' own addresses, as `simulate` does for simulated ones."""
    wall_clock(run_id).save(state / "clock.json")
    document = {
        "schema": 1,
        "run_id": run_id,
        "simulated": False,
        "devices": dict(addresses),
        "scheduler": "",
    }
    write_whole(state / "endpoints.json", document)


async def run(options: Options, state: Path, tell: Callable[..., None]) -> Run | None:
    """Run the site until interrupted, or for `for_s` seconds and say what was measured.

    Raises:
        IgoudarError: a part can't work, or no good reading came.
    """
    chosen = plan(options, state)
    forget_last_run(state)
    if options.addresses is not None:
        publish_real(options.addresses, chosen.run_id, state)
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, until.set)
    supervisor = Supervisor(chosen.parts, state, tell)
    watch = asyncio.create_task(_watch(options, chosen, state, tell))
    watch.add_done_callback(partial(_stop_after_watching, until, options.for_s is not None))
    try:
        await supervisor.run(until)
    finally:
        watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        return await watch
    return None


def _stop_after_watching(until: asyncio.Event, unattended: bool, watch: asyncio.Task[Run | None]) -> None:
    if watch.cancelled():
        return
    if unattended or watch.exception():
        until.set()


async def _watch(options: Options, chosen: Plan, state: Path, tell: Callable[..., None]) -> Run | None:
    """Announce the addresses at the first good reading; with `for_s`, measure that long after it."""
    url = await api_address(state)
    with ApiClient.of_state(state, url) as api:
        await _first_good(api)
        tell("app.up", api=url, dashboard=chosen.dashboard_url, token=str(state / "token"))
        if options.for_s is None:
            return None
        start = Start.of(api)
        await asyncio.sleep(options.for_s)
        return await asyncio.to_thread(Run.measured, start, api)


async def _first_good(api: ApiClient) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(LinkError):
            status = await asyncio.to_thread(api.status)
            if status.first_good_at:
                return
        await asyncio.sleep(0.1)
    raise IgoudarError(
        "no good reading in 120 s", where="collect", fix="see logs/collect.log in the state folder"
    )
