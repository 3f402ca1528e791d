"""`igoudar up` and `igoudar run`: a site from one command."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from igoudar.app.parts_cli import SiteName, State, load
from igoudar.app.state import held, state_folder, write_whole
from igoudar.core.errors import ConfigError
from igoudar.core.i18n import choose_language, render

if TYPE_CHECKING:
    from igoudar.app.summary import Run
    from igoudar.app.up import Options

ApiPort = Annotated[int, typer.Option("--api-port", help="API port on loopback; 0 = any free.")]
PagePort = Annotated[int, typer.Option("--dashboard-port", help="Dashboard port on loopback; 0 = any free.")]
Lang = Annotated[str | None, typer.Option("--lang", help="en or fr.")]


def add_commands(app: typer.Typer) -> None:
    """Register `up` and `run`."""
    app.command(help="Start a simulated site: simulators, collectors, store, control, API, dashboard.")(up)
    app.command(help="Start a site of real devices, in observe: everything but the simulators.")(run)


def up(
    site: SiteName = "jazari-lab",
    state: State = None,
    speed: Annotated[float, typer.Option(help="Site seconds per wall second.", min=0.1, max=3600.0)] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of weather and jobs.", min=0)] = 1,
    api_port: ApiPort = 8460,
    dashboard_port: PagePort = 8501,
    resource: Annotated[
        Path | None, typer.Option(help="Replay capacity factors (CSV or its folder).")
    ] = None,
    jobs: Annotated[Path | None, typer.Option(help="Replay a job trace (CSV).")] = None,
    for_: Annotated[
        float | None, typer.Option("--for", help="Run unattended for so many wall seconds.", min=1.0)
    ] = None,
    summary: Annotated[Path | None, typer.Option(help="Write the run's figures here (JSON).")] = None,
    lang: Lang = None,
) -> None:
    """The whole site on this machine; Ctrl-C stops all."""
    from igoudar.app.up import Options
    from igoudar.simulators.service import load_inputs

    if summary and for_ is None:
        raise ConfigError("--summary needs an end", where="--summary", fix="add --for SECONDS")
    plan, profiles = load(site)
    inputs = load_inputs(plan, seed, resource, jobs)  # a bad file is named before anything starts
    _check_writable(summary)
    folder = state_folder(plan.name, state)
    options = Options(site, speed, seed, api_port, dashboard_port, resource, jobs, for_)
    with held(folder):
        measured = _run(options, folder, lang)
    if measured is not None:
        _report(measured.report(plan, profiles, inputs, folder), summary, lang)


def run(
    site: Annotated[str, typer.Argument(help="A site file whose addresses are real.")],
    state: State = None,
    api_port: ApiPort = 8460,
    dashboard_port: PagePort = 8501,
    lang: Lang = None,
) -> None:
    """The same for real hardware: wall clock, the file's own addresses, starting in observe."""
    from igoudar.app.up import Options

    plan, _ = load(site)
    folder = state_folder(plan.name, state)
    addresses = {device.name: device.address for device in plan.devices}
    options = Options(site, 1.0, 0, api_port, dashboard_port, addresses=addresses)
    with held(folder):
        _run(options, folder, lang)


def _run(options: "Options", folder: Path, lang: str | None) -> "Run | None":
    from igoudar.app import up as whole

    def tell(code: str, **params: object) -> None:
        _say(render(code, params, choose_language(lang)))

    return asyncio.run(whole.run(options, folder, tell))


def _report(report: dict[str, Any], summary: Path | None, lang: str | None) -> None:
    if summary:
        write_whole(summary, report)
    run_now_wh = report["import_wh_run_now"]
    code = "app.summary_followed" if run_now_wh is None else "app.summary"
    _say(render(code, {**report, "run_now_wh": run_now_wh}, choose_language(lang)))
    if report["devices_answering"] != report["devices"]:
        sys.exit(1)


def _say(text: str) -> None:
    Console(highlight=False, soft_wrap=True).print(escape(text))


def _check_writable(summary: Path | None) -> None:
    if summary and not (summary.parent.is_dir() and os.access(summary.parent, os.W_OK)):
        raise ConfigError(
            "the folder is missing or can't be written", where=str(summary), fix="give another --summary"
        )
