"""Options that the commands share, and the way to the API."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.core.i18n import choose_language
from igoudar.core.state_path import state_path

if TYPE_CHECKING:
    from igoudar.control.client import ApiClient

SiteOption = Annotated[str, typer.Option("--site", help="Site whose state folder is meant.")]
StateOption = Annotated[Path | None, typer.Option("--state", help="State folder (or IGOUDAR_STATE).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the API's document.")]
LangOption = Annotated[str | None, typer.Option("--lang", help="en or fr (or IGOUDAR_LANG).")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]
DEFAULT_SITE = "jazari-lab"


def api(site: str, state: Path | None) -> "ApiClient":
    """The API of the site that runs.

    Raises:
        ConfigError: when nothing has been started there.
    """
    from igoudar.control.client import ApiClient  # here, so that `igoudar --help` stays quick

    return ApiClient.of_state(state_path(site, state))


def language(asked: str | None) -> str:
    """The language to speak."""
    return choose_language(asked)
