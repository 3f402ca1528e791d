"""`igoudar site shed | cap | events | approve | cancel`: emergency and demand response."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from igoudar.control.cli import show
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
from igoudar.control.cli.times import until as parse_time
from igoudar.core.i18n import render
from igoudar.core.terminal import draw, printable
from igoudar.core.units import format_minute, parse_duration_s, parse_power_w, parse_share

if TYPE_CHECKING:  # the documents bring pydantic along
    from igoudar.control.client import ApiClient
    from igoudar.control.schema_events import EventPreview, EventsView, EventView

ForOption = Annotated[str, typer.Option("--for", help="How long: 30m, 1h. Without it: until cancelled.")]
NoticeOption = Annotated[str, typer.Option("--notice", help="Begin after this time: 30s, 10m.")]
FromOption = Annotated[str, typer.Option("--from", help="+90m, 19:40 or an ISO time, site's zone.")]
ToOption = Annotated[str, typer.Option("--to", help="+2h, 22:00 or an ISO time, site's zone.")]
ImportOption = Annotated[bool, typer.Option("--import", help="Limit the grid meter, not the facility.")]
SECONDS_PER_HOUR = 3600.0


def add_site_commands(site: typer.Typer) -> None:
    """Add them to `igoudar site`."""
    site.command("shed", help="Lower the facility load by a share of its last 15 min, now.")(shed)
    site.command("cap", help="Keep the facility load, or the import, under a power.")(cap)
    site.command("events", help="Emergency and demand-response events, and how they stand.")(events)
    site.command("approve", help="Stand behind an event that came from outside.")(approve)
    site.command("cancel", help="End an event; the load comes back along the ramp.")(cancel)


def shed(
    share: Annotated[str, typer.Argument(help="Share of the baseline: 30%.")],
    for_: ForOption = "",
    notice: NoticeOption = "",
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Lower the facility load by a share of its last 15 min, now."""
    body: dict[str, object] = {"share": parse_share(share, "share"), "reason": reason or "command line"}
    body |= {"for_s": parse_duration_s(for_, "--for")} if for_ else {}
    body |= {"notice_s": parse_duration_s(notice, "--notice")} if notice else {}
    with api(site, state) as client:
        _ask(client, "shed", body, dry_run, yes, json, language(lang))


def cap(
    power: Annotated[str, typer.Argument(help="Power with its unit: 28MW.")],
    from_: FromOption = "",
    to: ToOption = "",
    for_: ForOption = "",
    notice: NoticeOption = "",
    on_import: ImportOption = False,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Keep the facility load, or the import, under a power."""
    limit_w = parse_power_w(power, "power")
    body: dict[str, object] = {"limit_w": limit_w, "on_import": on_import, "reason": reason or "command line"}
    body |= {"for_s": parse_duration_s(for_, "--for")} if for_ else {}
    body |= {"notice_s": parse_duration_s(notice, "--notice")} if notice else {}
    with api(site, state) as client:
        now = client.status()
        times = (("start", from_), ("end", to))
        body |= {name: parse_time(word, now.time, now.zone).isoformat() for name, word in times if word}
        _ask(client, "cap", body, dry_run, yes, json, language(lang))


def events(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Emergency and demand-response events, and how they stand."""
    speech = language(lang)
    with api(site, state) as client:
        found = client.events()
    if json:
        return show.document(found)
    return _print_events(found, speech)


def approve(
    event: Annotated[str, typer.Argument(help="The event's id.")],
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Stand behind an event that came from outside; in advise its commands then go."""
    speech = language(lang)
    with api(site, state) as client:
        if not (dry_run or yes):
            found = next((one for one in client.events().events if one.id == event), None)
            if found is not None:
                zone = client.status().zone
                _say("opened_line", speech, event=found.id, **_frame(found, zone, speech))
        if not agreed("event", speech, dry_run=dry_run, yes=yes, area="events"):
            return None
        found = client.approve_event(event, reason or "command line")
    names = ", ".join(map(show.safe, found.approved_by))
    return show.document(found) if json else _say("approved_line", speech, event=found.id, names=names)


def cancel(
    event: Annotated[str, typer.Argument(help="The event's id.")],
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """End an event; the load comes back along the ramp."""
    speech = language(lang)
    with api(site, state) as client:
        if not agreed("event", speech, dry_run=dry_run, yes=yes, area="events"):
            return None
        found = client.cancel_event(event, reason or "command line")
    return show.document(found) if json else _say("cancelled_line", speech, event=found.id)


def _ask(
    client: "ApiClient", verb: str, body: dict[str, object], dry_run: bool, yes: bool, json: bool, lang: str
) -> None:
    """Show what it would do, ask, do it."""
    zone = client.status().zone
    if dry_run or not yes:
        tried = client.preview_event(verb, body)
        if json and dry_run:
            return show.document(tried)
        _print_preview(tried, zone, lang)
    if not agreed("event", lang, dry_run=dry_run, yes=yes, area="events"):
        return None
    found = client.open_event(verb, body)
    if json:
        return show.document(found)
    return _say("opened_line", lang, event=found.id, **_frame(found, zone, lang))


def _frame(found: "EventView | EventPreview", zone: str, lang: str) -> dict[str, object]:
    return {
        "kind": _plain(f"kind_{found.kind}", lang),
        "limit_w": found.limit_w,
        "start": show.local(found.starts_at, zone),
        "end": _end(found.ends_at, zone, lang),
    }


def _end(at: datetime | None, zone: str, lang: str) -> str:
    return show.local(at, zone) if at else _plain("until_replaced", lang)


def _print_preview(tried: "EventPreview", zone: str, lang: str) -> None:
    _say("preview_line", lang, load_w=_known(tried.load_w), **_frame(tried, zone, lang))
    if tried.baseline_w is not None:
        _say("preview_baseline", lang, baseline_w=tried.baseline_w)
    for one in tried.levers:
        if one.count:
            lever = _plain(f"lever_{one.lever}", lang)
            _say("preview_lever", lang, lever=lever, power_w=one.power_w, count=one.count)
    if tried.short_w > 0:
        _say("preview_short", lang, short_w=tried.short_w)
    if tried.deadlines_lost:
        _say("preview_lost", lang, jobs=", ".join(map(show.safe, tried.deadlines_lost)))
    if not tried.acts:
        _say("preview_no_act", lang)


def _print_events(found: "EventsView", lang: str) -> None:
    if not found.events:
        return _say("none", lang)
    names = ("load_w", "limit_w", "import_w", "import_limit_w")
    _say("zone_line", lang, zone=found.zone)
    _say("now_line", lang, **{name: _known(getattr(found, name)) for name in names})
    hours = {"owed": found.debt_gpu_s / SECONDS_PER_HOUR, "paid": found.debt_paid_gpu_s / SECONDS_PER_HOUR}
    _say("debt_line", lang, **hours)
    heads = ("event", "kind", "state", "limit", "start", "end", "reached", "minutes", "quarters", "note")
    rows = [_row(event, found.zone, lang) for event in found.events]
    return draw([_plain(f"head_{head}", lang) for head in heads], rows)


def _row(event: "EventView", zone: str, lang: str) -> tuple[str, ...]:
    reached = event.time_to_target_s
    return (
        show.safe(event.id),
        _plain(f"kind_{event.kind}", lang),
        _plain(f"state_{event.state}", lang),
        show.quantity("limit_w", event.limit_w, lang),
        _minute(event.starts_at, zone, lang),
        _minute(event.ends_at, zone, lang) if event.ends_at else _plain("until_replaced", lang),
        "-" if reached is None else show.quantity("time_s", reached, lang),
        *(f"{part.missed}/{part.met + part.missed}" for part in event.intervals),
        show.message(event.note, lang),
    )


def _minute(at: datetime, zone: str, lang: str) -> str:
    return format_minute(at.astimezone(ZoneInfo(zone)), lang)


def _known(value: float | None) -> float | str:
    return "-" if value is None else value


def _plain(code: str, lang: str, **params: object) -> str:
    return printable(render(f"events.{code}", params, lang))


def _say(code: str, lang: str, **params: object) -> None:
    typer.echo(_plain(code, lang, **params))
