"""`igoudar cap-agent`."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from igoudar.core.i18n import choose_language, render
from igoudar.core.terminal import printable

File = Annotated[Path, typer.Option("--config", help="The agent's file (docs/caps.md).")]
Check = Annotated[
    bool, typer.Option("--check", help="Read the file and the GPUs, say what is there, and stop.")
]
Json = Annotated[bool, typer.Option("--json", help="With --check: print one JSON document.")]
Lang = Annotated[str | None, typer.Option("--lang", help="en or fr (or IGOUDAR_LANG).")]


def add_commands(app: typer.Typer) -> None:
    """Add `cap-agent`."""
    app.command("cap-agent", help="Get and set the power limits of this node's GPUs, over mutual TLS.")(
        cap_agent
    )


def cap_agent(config: File, check: Check = False, json: Json = False, lang: Lang = None) -> None:
    """Serve until stopped; with --check nothing is served and nothing is set."""
    from igoudar.control.caps_agent.config import load_config
    from igoudar.control.caps_agent.server import tls_context
    from igoudar.core.service import run_until_signalled

    found = load_config(config)
    if check:
        tls_context(found)
        return _tell(choose_language(lang), as_json=json)
    from igoudar.control.caps_agent.service import run

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    speech = choose_language(lang)
    return run_until_signalled(
        run(
            found,
            ready=lambda port: typer.echo(
                render("caps.listening", {"host": found.host, "port": str(port)}, speech)
            ),
        )
    )


def _tell(speech: str, *, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from igoudar.control.caps_agent.nvml import Nvml

    nvml = Nvml()
    try:
        gpus, driver = nvml.look(), nvml.driver()
    finally:
        nvml.close()
    if as_json:
        return typer.echo(json.dumps({"driver": driver, "gpus": [asdict(gpu) for gpu in gpus]}))
    for gpu in gpus:
        shown = {name: value for name, value in asdict(gpu).items() if name.endswith("_w")}
        typer.echo(
            render("caps.gpu", {**shown, "index": str(gpu.index), "name": printable(gpu.name)}, speech)
        )
    return None
