"""`igoudar site versions | rollback`: every configuration that a start has used, and the way back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from igoudar.app.parts_cli import SiteName, State
from igoudar.control.cli.agreement import agreed
from igoudar.control.cli.local import myself, records_of
from igoudar.core.errors import ConfigError
from igoudar.core.i18n import choose_language, render
from igoudar.core.terminal import printable

if TYPE_CHECKING:
    from igoudar.control.records.own_tables import SiteVersionRow

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Lang = Annotated[str | None, typer.Option("--lang", help="en or fr; default IGOUDAR_LANG, then the locale.")]


def add_commands(site: typer.Typer) -> None:
    """Add both to `igoudar site`."""
    site.command("versions", help="Show the configurations that starts have used, newest first.")(versions)
    site.command("rollback", help="Write a stored configuration back to the site file.")(rollback)


def versions(
    site: SiteName = "jazari-lab", state: State = None, as_json: AsJson = False, lang: Lang = None
) -> None:
    """Each with its version, as plans, commands and audit lines name it."""
    from igoudar.control.records import versions as kept

    with records_of(site, state) as records:
        rows = kept.versions(records)
    if as_json:
        return typer.echo(json.dumps([_document(row) for row in rows], indent=1))
    if not rows:
        return _say("no_versions", lang)
    for row in rows:
        times = {"last": f"{row.last_at:%Y-%m-%d %H:%M} UTC", "first": f"{row.first_at:%Y-%m-%d %H:%M} UTC"}
        _say("version_line", lang, version=row.version, source=row.source, **times)
    return None


def rollback(
    version: Annotated[str, typer.Argument(help="As `igoudar site versions` shows it.")],
    site: Annotated[str, typer.Option("--site", help="A bundled site's name or a site file.")] = "jazari-lab",
    to: Annotated[Path | None, typer.Option("--to", help="File to write; default: the site file.")] = None,
    state: State = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    lang: Lang = None,
) -> None:
    """The file is checked before it is put in place, and the change is an audit line."""
    from igoudar.control.records import versions as kept

    target = to or _own_file(site)
    before = _version_at(target)
    with records_of(site, state) as records:
        row = kept.stored(records, version)
        shown = {"version": version, "before": before or "-", "path": str(target)}
        if not agreed("roll_back", choose_language(lang), dry_run=dry_run, yes=yes, area="audit", **shown):
            return None
        kept.rollback(records, row, target, myself(), before, _version)
    return _say("rolled", lang, version=version, path=str(target))


def _own_file(site: str) -> Path:
    from igoudar.core.site import seed_names

    if site in seed_names():
        fix = "add --to FILE.toml, and start with that file"
        raise ConfigError("a bundled site has no file of yours", where=site, fix=fix)
    return Path(site)


def _version(path: Path) -> str:
    from igoudar.collectors.profiles import load_profiles
    from igoudar.core.site import load_site
    from igoudar.core.site_version import site_version

    return site_version(load_site(str(path), load_profiles()))


def _version_at(path: Path) -> str:
    """What stands there now; "" when there is nothing, or nothing that can be used."""
    try:
        return _version(path)
    except ConfigError:
        return ""


def _document(row: "SiteVersionRow") -> dict[str, str]:
    times = {"first_at": row.first_at.isoformat(), "last_at": row.last_at.isoformat()}
    return {"version": row.version, **times, "site": row.site, "source": row.source}


def _say(code: str, lang: str | None, **params: object) -> None:
    typer.echo(printable(render(f"audit.{code}", params, choose_language(lang))))
