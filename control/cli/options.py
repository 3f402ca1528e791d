"""Options that the commands share, and the way to the API."""

import os
from pathlib import Path
from typing import Annotated

import typer

from igoudar.control.client import ApiClient
from igoudar.core.i18n import choose_language

SiteOption = Annotated[str, typer.Option("--site", help="Site whose state folder is meant.")]
StateOption = Annotated[Path | None, typer.Option("--state", help="State folder (or IGOUDAR_STATE).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the API's document.")]
LangOption = Annotated[str | None, typer.Option("--lang", help="en or fr (or IGOUDAR_LANG).")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]
DEFAULT_SITE = "jazari-lab"


def api(site: str, state: Path | None) -> ApiClient:
    """The API of the site that runs.

    Raises:
        ConfigError: when nothing has been started there.
    """
    return ApiClient.of_state(state or _folder(site))


def language(asked: str | None) -> str:
    """The language to speak."""
    return choose_language(asked)


def _folder(site: str) -> Path:
    named = os.environ.get("IGOUDAR_STATE")
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(named) if named else Path(base) / "igoudar" / site
