"""Proposals: what waits for a person, or for a second one."""

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
from igoudar.control.errors import UnknownNameError
from igoudar.core.said import said

if TYPE_CHECKING:
    from igoudar.control.client_hands import HandsApi
    from igoudar.control.schema_hands import ProposalView

app = typer.Typer(no_args_is_help=True, help="What waits for a person: list, approve, decline.")
IdArgument = Annotated[str, typer.Argument(help="The proposal's id, or its first letters.")]
SHORT = 8


@app.command("list")
def listed(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """What waits, oldest first, with what it would change."""
    from igoudar.control.client_hands import HandsApi

    with api(site, state) as client:
        found, zone = HandsApi(client).proposals(), client.status().zone
    if json:
        return show.document(found)
    speech = language(lang)
    heads = ("id", "target", "point", "before", "after", "effect", "until", "approved", "reason")
    return show.table(heads, [_row(one, zone, speech) for one in found], speech)


@app.command("approve")
def approve(
    proposal_id: IdArgument,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Approve; it is judged again, and carried out once enough different people have."""
    from igoudar.control.client_hands import HandsApi

    speech = language(lang)
    with api(site, state) as client:
        hands, zone = HandsApi(client), client.status().zone
        one = _find(hands, proposal_id)
        change = _change(one, zone, speech)
        if not agreed("approve", speech, dry_run=dry_run, yes=yes, change=change):
            return None
        outcome = hands.approve_proposal(one.id, reason or "command line")
    if json:
        return show.document(outcome)
    return show.say("approved", speech, target=one.target, point=one.point, result=outcome.result)


@app.command("decline")
def decline(
    proposal_id: IdArgument,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Decline; the same is not proposed again until it would have expired."""
    from igoudar.control.client_hands import HandsApi

    speech = language(lang)
    with api(site, state) as client:
        hands, zone = HandsApi(client), client.status().zone
        one = _find(hands, proposal_id)
        change = _change(one, zone, speech)
        if not agreed("decline", speech, dry_run=dry_run, yes=yes, change=change):
            return None
        done = hands.decline_proposal(one.id, reason or "command line")
    if json:
        return show.document(done)
    return show.say("declined", speech, target=one.target, point=one.point)


def _find(hands: "HandsApi", proposal_id: str) -> "ProposalView":
    found = [one for one in hands.proposals() if proposal_id and one.id.startswith(proposal_id)]
    if len(found) != 1:
        code = "refusal.many_proposals" if found else "refusal.no_proposal"
        raise said(UnknownNameError, code, where=proposal_id)
    return found[0]


def _change(one: "ProposalView", zone: str, lang: str) -> str:
    return show.plain(
        "preview",
        lang,
        target=one.target,
        point=one.point,
        old=_amount(one.before, one.unit, lang),
        new=_amount(one.after, one.unit, lang),
        until=show.local(one.expires_at, zone),
        effect=told.effect(one.effect_w, lang),
    )


def _amount(word: str | None, unit: str, lang: str) -> str:
    return told.amount(float(word) if word and unit else word, unit, lang)


def _row(one: "ProposalView", zone: str, lang: str) -> tuple[str, ...]:
    return (
        one.id[:SHORT],
        show.safe(one.target),
        show.safe(one.point),
        show.safe(_amount(one.before, one.unit, lang)),
        show.safe(_amount(one.after, one.unit, lang)),
        told.effect(one.effect_w, lang),
        show.local(one.expires_at, zone),
        f"{len(one.approved_by)}/{one.approvals_needed}",
        show.message(one.reason, lang),
    )
