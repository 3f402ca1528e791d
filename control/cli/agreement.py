"""A person's yes, before anything is done."""

import typer

from igoudar.control.cli import show


def agreed(what: str, lang: str, /, *, dry_run: bool, yes: bool, **params: object) -> bool:
    """Ask `ask_WHAT`, or, in a dry run, say `would_WHAT`: then it is False, and nothing is to be done.

    Raises:
        typer.Abort: the person says no.
    """
    if dry_run:
        show.say(f"would_{what}", lang, **params)
        return False
    if not yes:
        typer.confirm(show.plain(f"ask_{what}", lang, **params), abort=True)
    return True
