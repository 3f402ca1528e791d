"""`igoudar simulate | collect | control | failsafe | dashboard`: each part as a process of its own."""

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from igoudar.app.state import state_folder
from igoudar.app.waiting import api_address, endpoints_of_run, free_port, site_clock
from igoudar.core.i18n import render
from igoudar.core.model import Profile, Site
from igoudar.core.orphan import die_with_parent
from igoudar.core.service import run_until_signalled

SiteName = Annotated[str, typer.Argument(help="A bundled site's name or a site file.")]
State = Annotated[Path | None, typer.Option("--state", help="State folder of the site.")]
RunId = Annotated[str, typer.Option("--run-id", help="Set by the supervisor: wait for this run's endpoints.")]


def add_commands(app: typer.Typer) -> None:
    """Register the parts."""
    app.command(help="Simulate the plant and serve its devices.")(simulate)
    app.command(help="Read every device into the store.")(collect)
    app.command(help="Decide, alarm, record and serve the API.")(control)
    app.command(help="Resume what was paused when control gives no sign of life.")(failsafe)
    app.command(help="Serve the operator's page.")(dashboard)


def load(site: str) -> tuple[Site, Mapping[str, Profile]]:
    """A site and the profiles its devices use."""
    from igoudar.collectors.profiles import load_profiles
    from igoudar.core.site import load_site

    profiles = load_profiles()
    return load_site(site, profiles), profiles


def simulate(
    site: SiteName = "jazari-lab",
    state: State = None,
    run_id: RunId = "",
    speed: Annotated[float, typer.Option(help="Site seconds per wall second.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of weather and jobs.")] = 1,
    start: Annotated[datetime | None, typer.Option(help="Site time of a first start, UTC.")] = None,
    resource: Annotated[Path | None, typer.Option(help="Replay measured capacity factors.")] = None,
    jobs: Annotated[Path | None, typer.Option(help="Replay a job trace.")] = None,
) -> None:
    """The plant and its protocol servers on loopback ports."""
    from igoudar.simulators import service

    die_with_parent()
    plan, profiles = load(site)
    folder = state_folder(plan.name, state)
    run_until_signalled(
        service.run(
            plan,
            profiles,
            folder,
            speed=speed,
            seed=seed,
            start=start,
            resource_path=resource,
            jobs_path=jobs,
            run_id=run_id,
        )
    )


def collect(site: SiteName = "jazari-lab", state: State = None, run_id: RunId = "") -> None:
    """Every device link, the store and the local socket."""
    from igoudar.collectors import service
    from igoudar.core.store.choice import open_store

    die_with_parent()
    plan, profiles = load(site)
    folder = state_folder(plan.name, state)

    async def part() -> None:
        endpoints = await endpoints_of_run(folder, run_id)
        store = open_store(plan, folder)
        try:
            await service.run(plan, profiles, endpoints.devices, site_clock(folder), store, folder)
        finally:
            store.close()

    run_until_signalled(part())


def control(
    site: SiteName = "jazari-lab",
    state: State = None,
    run_id: RunId = "",
    api_port: Annotated[int, typer.Option(help="Port of the API on loopback; 0 = any free.")] = 8460,
    resource: Annotated[
        Path | None, typer.Option(help="Measured capacity factors that forecasts learn from.")
    ] = None,
) -> None:
    """The control loop, alarms, records and the API."""
    from igoudar.control import service
    from igoudar.control.records.versions import read_source

    die_with_parent()
    plan, profiles = load(site)
    folder, source = state_folder(plan.name, state), read_source(site)

    async def part() -> None:
        endpoints = await endpoints_of_run(folder, run_id)
        ours = endpoints.all_opened_by(run_id)
        # Beside simulators, an address that nobody expects must stay unwritten whatever a person says.
        forced = render("app.forced_observe", {}) if endpoints.simulated and not ours else None
        mode = "auto" if ours and plan.scheduler.kind == "simulated" else "observe"
        await service.run(
            plan,
            profiles,
            site_clock(folder),
            folder,
            api_port=api_port,
            mode=mode,
            forced=forced,
            resource=resource,
            source=source,
        )

    run_until_signalled(part())


def failsafe(site: SiteName = "jazari-lab", state: State = None) -> None:
    """Keeps every resume-by; it outlives the supervisor while jobs of a real scheduler are paused."""
    from igoudar.control.failsafe import service
    from igoudar.control.failsafe.schedulers import open_resumes

    plan, _ = load(site)
    if plan.scheduler.kind == "simulated":
        die_with_parent()
    folder, parent = state_folder(plan.name, state), os.getppid()

    async def part() -> None:
        async with open_resumes(plan, folder) as scheduler:
            await service.run(folder, scheduler, lambda: os.getppid() != parent)

    run_until_signalled(part())


def dashboard(
    site: SiteName = "jazari-lab",
    state: State = None,
    dashboard_port: Annotated[int, typer.Option(help="Port on loopback; 0 = any free.")] = 8501,
) -> None:
    """The Streamlit page; this process becomes it."""
    from igoudar.dashboard.launch import command

    die_with_parent()
    plan, _ = load(site)
    folder = state_folder(plan.name, state)
    url = asyncio.run(api_address(folder))
    argv, environment = command(dashboard_port or free_port(), url, folder / "viewer.token", plan.api.names)
    trusted = {"IGOUDAR_CA_FILE": plan.api.certificate} if plan.api.certificate else {}
    os.execvpe(argv[0], argv, {**trusted, **os.environ, **environment})  # noqa: S606 - our own fixed argv
