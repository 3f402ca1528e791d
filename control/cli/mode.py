"""The control mode."""

from typing import Annotated

import typer

from igoudar.control.cli import show
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


def mode(
    to: Annotated[
        str | None, typer.Argument(help="observe, advise or auto; without it the mode is shown.")
    ] = None,
    reason: ReasonOption = "",
    site: SiteOption = DEFAULT_SITE,
    state: StateOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show or change the control mode."""
    speech = language(lang)
    with api(site, state) as client:
        found, zone = client.mode(), client.status().zone
        if to is not None:
            from igoudar.control.mode import mode_word  # it brings the database along

            word = mode_word(to)
            if dry_run:
                return show.say("would_mode", speech, before=found.mode, after=word)
            if not yes:
                typer.confirm(show.plain("ask_mode", speech, before=found.mode, after=word), abort=True)
            found = client.set_mode(word, reason or "command line")
    if json:
        return show.document(found)
    show.say("mode_line", speech, mode=found.mode, since=show.local(found.since, zone), by=found.by)
    return show.say("mode_forced", speech, why=found.forced) if found.forced else None
