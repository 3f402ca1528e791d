"""A person's yes, before anything is done."""

import typer

from igoudar.core.i18n import render
from igoudar.core.terminal import printable


def agreed(what: str, lang: str, /, *, dry_run: bool, yes: bool, area: str = "cli", **params: object) -> bool:
    """Ask `ask_WHAT`, or, in a dry run, say `would_WHAT`: then it is False, and nothing is to be done.

    `area` is the catalogue's that has both.

    Raises:
        typer.Abort: the person says no.
    """
    if dry_run:
        typer.echo(printable(render(f"{area}.would_{what}", params, lang)))
        return False
    if not yes:
        typer.confirm(printable(render(f"{area}.ask_{what}", params, lang)), abort=True)
    return True
