"""`igoudar up` and `igoudar run`: a site from one command."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from igoudar.app.parts_cli import SiteName, State, load
from igoudar.app.state import held, state_folder, write_whole
from igoudar.core.errors import ConfigError
from igoudar.core.i18n import choose_language, render

if TYPE_CHECKING:
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
    resource: Annotated[Path | None, typer.Option(help="Replay measured capacity factors (folder or file).")] = None,
    jobs: Annotated[Path | None, typer.Option(help="Replay a job trace (CSV).")] = None,
    for_: Annotated[
        float | None, typer.Option("--for", help="Run unattended for so many wall seconds.", min=1.0)
    ] = None,
    summary: Annotated[Path | None, typer.Option(help="Write the unattended run's figures here (JSON).")] = None,
    lang: Lang = None,
) -> None:
    """The whole site on this machine; Ctrl-C stops all."""
    from igoudar.app.inputs import check_inputs
    from igoudar.app.up import Options

    if summary and for_ is None:
        raise ConfigError("--summary needs an end", where="--summary", fix="add --for SECONDS")
    plan, _ = load(site)
    check_inputs(plan, resource, jobs, summary)
    folder = state_folder(plan.name, state)
    options = Options(site, speed, seed, api_port, dashboard_port, resource, jobs, for_)
    with held(folder):
        _finish(options, folder, summary, lang)


def run(
    site: Annotated[str, typer.Argument(help="A site file whose addresses are real.")],
    state: State = None,
    api_port: ApiPort = 8460,
    dashboard_port: PagePort = 8501,
    lang: Lang = None,
) -> None:
    """The same for real hardware: wall clock, the file's own addresses, nothing is written before a mode change."""
    from igoudar.app.up import Options

    plan, _ = load(site)
    folder = state_folder(plan.name, state)
    options = Options(site, 1.0, 0, api_port, dashboard_port, simulate=False)
    with held(folder):
        _finish(options, folder, None, lang)


def _finish(options: "Options", folder: Path, summary: Path | None, lang: str | None) -> None:
    from igoudar.app import up as whole

    console = Console(highlight=False, soft_wrap=True)

    def tell(code: str, **params: object) -> None:
        console.print(escape(render(code, params, choose_language(lang))))

    measured = asyncio.run(whole.run(options, folder, tell))
    if measured is None:
        return
    report = measured.report(folder)
    if summary:
        write_whole(summary, report)
    tell("app.summary", **report)
    if report["devices_answering"] != report["devices"]:
        sys.exit(1)
