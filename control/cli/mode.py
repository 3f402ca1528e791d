"""The control mode, of the site and of each actuator class."""

from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from igoudar.control.client import ApiClient
    from igoudar.control.schema import ModeView


def mode(
    to: Annotated[
        str | None, typer.Argument(help="observe, advise or auto; without it the mode is shown.")
    ] = None,
    actuator: Annotated[
        str | None,
        typer.Option("--class", help="jobs, caps, battery, curtailment, cooling or loads; none = the site."),
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
            from igoudar.control.mode import class_word, mode_word  # it brings the database along

            word, name = mode_word(to), class_word(actuator).value if actuator else ""
            before = found.classes[name] if name else found.mode
            words = {"what": name or site, "before": before, "after": word}
            if not agreed("mode", speech, dry_run=dry_run, yes=yes, **words):
                return None
            found = _changed(client, name, word, reason or "command line")
    if json:
        return show.document(found)
    show.say("mode_line", speech, mode=found.mode, since=show.local(found.since, zone), by=found.by)
    for name, word in found.classes.items():
        if word != found.mode:
            show.say("mode_class", speech, name=name, mode=word)
    return show.say("mode_forced", speech, why=found.forced) if found.forced else None


def _changed(client: "ApiClient", name: str, word: str, reason: str) -> "ModeView":
    from igoudar.control.client_hands import HandsApi

    return HandsApi(client).set_class_mode(name, word, reason) if name else client.set_mode(word, reason)
