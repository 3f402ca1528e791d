"""Alarms: list and acknowledge."""

from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.control.cli import show
from igoudar.control.cli.agreement import agreed
from igoudar.control.cli.options import (
    DEFAULT_SITE,
    DryOption,
    JsonOption,
    LangOption,
    SiteOption,
    StateOption,
    YesOption,
    api,
    language,
)
from igoudar.control.errors import UnknownNameError
from igoudar.core.said import said

if TYPE_CHECKING:  # the documents bring pydantic along
    from igoudar.control.schema import AlarmView

app = typer.Typer(help="Alarms: list and acknowledge; without a subcommand, list.")


@app.callback(invoke_without_command=True)
def alarms(
    context: typer.Context,
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Alarms that are not normal, worst first, each with what to do; `ack` says that one was seen."""
    if context.invoked_subcommand is None:
        list_alarms(site, state, json, lang)


@app.command("list")
def list_alarms(
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Alarms that are not normal, worst first, each with what to do."""
    with api(site, state) as client:
        found, zone = client.alarms(), client.status().zone
    if json:
        return show.document(found)
    speech = language(lang)
    heads = ("alarm", "priority", "state", "time", "text", "action", "times")
    show.table(heads, [_row(alarm, zone, speech) for alarm in found.alarms], speech)
    return show.say("alarms_line", speech, count=sum(found.counts.values()))


@app.command("ack")
def acknowledge(
    alarm_id: Annotated[str, typer.Argument(help="The alarm's id.")],
    comment: Annotated[str, typer.Option("--comment", help="What you saw; it is recorded.")] = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Say that an alarm was seen; it stays until its cause is gone."""
    speech = language(lang)
    with api(site, state) as client:
        alarm = next((one for one in client.alarms().alarms if one.id == alarm_id), None)
        if alarm is None:
            raise said(UnknownNameError, "refusal.no_alarm", where=alarm_id)
        text = show.spoken(alarm.text, speech)
        if not agreed("ack", speech, dry_run=dry_run, yes=yes, alarm=alarm_id, text=text):
            return None
        alarm = client.acknowledge(alarm_id, comment)
    if json:
        return show.document(alarm)
    return show.say("acked", speech, alarm=alarm_id, state=alarm.state)


def _row(alarm: "AlarmView", zone: str, lang: str) -> tuple[str, ...]:
    return (
        alarm.id,
        f"P{alarm.priority}",
        alarm.state,
        show.local(alarm.raised_at, zone),
        show.message(alarm.text, lang),
        show.message(alarm.action, lang),
        str(alarm.occurrences),
    )
