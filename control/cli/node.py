"""Nodes of the scheduler: what they do, and power for those that nothing runs on."""

from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.control.cli import show, told
from igoudar.control.cli.agreement import agreed
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
from igoudar.core.errors import CommandError

if TYPE_CHECKING:  # the documents bring pydantic along
    from igoudar.control.schema_hands import NodeView

app = typer.Typer(no_args_is_help=True, help="Nodes of the scheduler: list, power-down, power-up.")
NodeArgument = Annotated[str, typer.Argument(help="The node's name, as the scheduler calls it.")]


@app.command("list")
def listed(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """All nodes, with their states."""
    from igoudar.control.client_hands import HandsApi

    with api(site, state) as client:
        found = HandsApi(client).nodes()
    if json:
        return show.document(found)
    return show.table(("node", "state", "gpus"), [_row(one) for one in found], language(lang))


@app.command("power-down")
def power_down(
    node: NodeArgument,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Turn an idle and drained node off; any other is refused."""
    _power("power-down", node, reason, site, state, dry_run, yes, json, lang)


@app.command("power-up")
def power_up(
    node: NodeArgument,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Turn a node on again; it stays drained until an administrator of the scheduler resumes it."""
    _power("power-up", node, reason, site, state, dry_run, yes, json, lang)


def _power(
    verb: str,
    node: str,
    reason: str,
    site: str,
    state: StateOption,
    dry_run: bool,
    yes: bool,
    json: bool,
    lang: str | None,
) -> None:
    from igoudar.control.client_hands import HandsApi

    speech, why = language(lang), reason or "command line"
    with api(site, state) as client:
        hands, zone = HandsApi(client), client.status().zone
        preview = hands.preview_node(node, verb, why)
        line, refusal = told.change(preview, zone, speech), told.refusal(preview, speech)
        if refusal and not dry_run:
            raise CommandError(refusal, where=f"node {node}")
        if not agreed("power", speech, dry_run=dry_run, yes=yes, change=line, refusal=refusal):
            return None
        outcome = hands.power_node(node, verb, why)
    if json:
        return show.document(outcome)
    return show.say("powered", speech, node=node, verb=verb, result=outcome.result)


def _row(one: "NodeView") -> tuple[str, ...]:
    return show.safe(one.name), show.safe(one.state), str(one.gpus)
