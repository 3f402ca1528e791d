"""Overrides: hold a point by hand, until released or expired."""

import re
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
from igoudar.control.cli.times import until as parse_until
from igoudar.core.errors import CommandError, ConfigError
from igoudar.core.units import parse_power_w, unit_of

if TYPE_CHECKING:
    from igoudar.control.schema_hands import OverrideView

app = typer.Typer(no_args_is_help=True, help="Hold a point by hand: set, release, list.")
TargetArgument = Annotated[str, typer.Argument(help="The device.")]
PointArgument = Annotated[str, typer.Argument(help="Its writable point.")]
UntilOption = Annotated[str, typer.Option("--until", help="+90m, +2h, 19:40 or an ISO time, site's zone.")]
NEGATIVE = {"ignore_unknown_options": True}  # a value may begin with a minus


@app.command("list")
def listed(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """What people hold, the first to end first."""
    from igoudar.control.client_hands import HandsApi

    with api(site, state) as client:
        found, zone = HandsApi(client).overrides(), client.status().zone
    if json:
        return show.document(found)
    speech = language(lang)
    heads = ("target", "point", "value", "until", "who", "reason")
    return show.table(heads, [_row(one, zone, speech) for one in found], speech)


@app.command("set", context_settings=NEGATIVE)
def set_point(
    target: TargetArgument,
    point: PointArgument,
    value: Annotated[str, typer.Argument(help="In the point's unit; powers with theirs: 300kW.")],
    until: UntilOption = "+1h",
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Hold a point at a value, whatever the plan wants; an hour unless --until says otherwise."""
    from igoudar.control.client_hands import HandsApi

    speech, wanted, why = language(lang), number(value, point), reason or "command line"
    with api(site, state) as client:
        hands, now = HandsApi(client), client.status()
        at = parse_until(until, now.time, now.zone)
        preview = hands.preview_override(target, point, wanted, at, why)
        line, refusal = told.change(preview, now.zone, speech), told.refusal(preview, speech)
        if refusal and not dry_run:
            raise CommandError(refusal, where=f"{target} {point}")
        if not agreed("override", speech, dry_run=dry_run, yes=yes, change=line, refusal=refusal):
            return None
        outcome = hands.set_override(target, point, wanted, at, why)
    if json:
        return show.document(outcome)
    return show.say("overridden", speech, target=target, point=point, result=outcome.result)


@app.command("release")
def release(
    target: TargetArgument,
    point: PointArgument,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Let go: the plan, or the device's own rule, has the point again."""
    from igoudar.control.client_hands import HandsApi

    speech = language(lang)
    with api(site, state) as client:
        if not agreed("release", speech, dry_run=dry_run, yes=yes, target=target, point=point):
            return None
        done = HandsApi(client).release_override(target, point, reason or "command line")
    if json:
        return show.document(done)
    return show.say("released", speech, target=target, point=point)


def number(word: str, point: str) -> float:
    """A value as people write it, in the point's unit; a power must name its own.

    Raises:
        ConfigError: anything else.
    """
    sign, rest = (-1.0, word[1:]) if word.startswith("-") else (1.0, word)
    if unit_of(point) == "w":
        return sign * parse_power_w(rest, "VALUE")
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%?\s*", rest, re.ASCII)
    if match is None:
        raise ConfigError(f"not a value: {word!r}", where="VALUE", fix=f"a number in {unit_of(point)}")
    return sign * float(match[1])


def _row(one: "OverrideView", zone: str, lang: str) -> tuple[str, ...]:
    return (
        show.safe(one.target),
        show.safe(one.point),
        show.safe(told.amount(one.value, one.unit, lang)),
        show.local(one.until, zone),
        show.safe(one.who),
        show.safe(one.reason),
    )
