"""Hands-off: stop every write at once, here and now, with or without a control process."""

import json as jsons
from typing import TYPE_CHECKING

import typer

from igoudar.control.cli import show
from igoudar.control.cli.agreement import agreed
from igoudar.control.cli.local import myself
from igoudar.control.cli.options import (
    DEFAULT_SITE,
    DryOption,
    JsonOption,
    LangOption,
    ReasonOption,
    SiteOption,
    StateOption,
    YesOption,
    api,
    language,
)
from igoudar.core import handsoff
from igoudar.core.errors import ConfigError
from igoudar.core.state_path import state_path

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer(no_args_is_help=True, help="Stop every write at once, and let them through again.")


@app.command("on")
def on(
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Nothing is sent from now on. It asks nobody, and needs no process and no token."""
    folder, speech = _folder(site, state), language(lang)
    if dry_run:
        return show.say("would_hands_off", speech, folder=folder)
    said = handsoff.turn_on(folder, myself(), reason or "command line")
    if json:
        when = said.when.isoformat() if said.when else None
        return typer.echo(jsons.dumps({"on": True, "who": said.who, "when": when, "why": said.why}))
    return show.say("hands_off_on", speech, folder=folder)


@app.command("off")
def off(
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Let writes through again: an operator's decision, by the API."""
    from igoudar.control.client_hands import HandsApi

    speech = language(lang)
    with api(site, state) as client:
        hands = HandsApi(client)
        found = hands.hands_off()
        if not agreed("hands_on", speech, dry_run=dry_run, yes=yes, who=found.who, why=found.why):
            return None
        done = hands.set_hands_off(False, reason or "command line")
    if json:
        return show.document(done)
    return show.say("hands_off_off", speech)


def _folder(site: str, state: StateOption) -> "Path":
    folder = state_path(site, state)
    if not folder.is_dir():
        fix = "give --state of the site that runs"
        raise ConfigError("there is no such state folder", where=str(folder), fix=fix)
    return folder
