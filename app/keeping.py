"""`igoudar backup | restore | doctor`: keeping a site's data, and finding out what ails it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from igoudar.core.errors import ConfigError
from igoudar.core.i18n import choose_language, render
from igoudar.core.state_path import state_path

if TYPE_CHECKING:
    from igoudar.core.model_people import Auditing

SiteName = Annotated[str, typer.Argument(help="A bundled site's name or a site file.")]
State = Annotated[Path | None, typer.Option("--state", help="State folder of the site.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Lang = Annotated[str | None, typer.Option("--lang", help="en or fr.")]


def add_commands(app: typer.Typer) -> None:
    """Register `backup`, `restore` and `doctor`."""
    app.command(help="Copy what a site has kept to one file, while it runs or not.")(backup)
    app.command(help="Put a backup in place of what a stopped site has kept.")(restore)
    app.command(help="Check this machine and a site's state; exit code 1 when something is at fault.")(doctor)


def backup(
    file: Annotated[Path, typer.Argument(help="The archive to write, for example lab.tar.")],
    site: SiteName = "jazari-lab",
    state: State = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """A consistent copy; tokens stay out of it."""
    from igoudar.app import backup as archive

    folder, rules = _folder(site, state), _rules(site)
    found = archive.preview(folder, rules) if dry_run else archive.backup(folder, file, rules)
    code = "app.keep_backup_would" if dry_run else "app.keep_backup_done"
    bare = "_bare" if rules.url_file and not found.records else ""
    _print(f"{code}{bare}", {"file": str(file), **found.as_json()}, as_json=as_json, lang=lang)


def restore(
    file: Annotated[Path, typer.Argument(help="An archive that `igoudar backup` wrote.")],
    site: SiteName = "jazari-lab",
    state: State = None,
    force: Annotated[bool, typer.Option("--force", help="Move a store that is there aside.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Back to what the archive holds."""
    from igoudar.app import restore as archive
    from igoudar.app.backup import EXPORT

    folder = _folder(site, state)
    if dry_run:
        found, aside = archive.inspect(file), None
    else:
        found, aside = archive.restore(file, folder, force=force)
    params = {"file": str(file), "state": str(folder), "aside": str(aside or ""), **found.as_json()}
    code = "app.keep_restore_would" if dry_run else "app.keep_restore_done"
    _print(f"{code}_aside" if aside else code, params, as_json=as_json, lang=lang)
    if found.records == EXPORT and not as_json:
        where = {"path": str(folder / found.records)}
        typer.echo(render("app.keep_restore_export", where, choose_language(lang)))


def doctor(
    site: SiteName = "jazari-lab", state: State = None, as_json: Json = False, lang: Lang = None
) -> None:
    """One line per finding."""
    from igoudar.app.doctor import examine
    from igoudar.app.finding import Level

    findings = examine(_folder(site, state), _rules(site))
    if as_json:
        documents = [
            {"level": f.level, "code": f.code, "params": f.params, "text": render(f.code, f.params)}
            for f in findings
        ]
        typer.echo(json.dumps({"findings": documents}))
    else:
        language = choose_language(lang)
        for finding in findings:
            level = render(f"app.doctor_level_{finding.level}", {}, language)
            typer.echo(f"{level}  {render(finding.code, finding.params, language)}")
    if any(finding.level is Level.FAULT for finding in findings):
        raise typer.Exit(1)


def _folder(site: str, state: Path | None) -> Path:
    """The state folder of a site, which need not be loadable for its data to be kept."""
    if state is None and Path(site).is_file():
        from igoudar.app.parts_cli import load

        site = load(site)[0].name
    return state_path(site, state)


def _rules(site: str) -> "Auditing":
    """Where the site keeps its records; as usual where its file can't be read."""
    from igoudar.app.parts_cli import load
    from igoudar.core.model_people import Auditing

    try:
        return load(site)[0].audit
    except ConfigError:
        return Auditing()


def _print(code: str, params: dict[str, Any], *, as_json: bool, lang: str | None) -> None:
    if as_json:
        typer.echo(json.dumps({"code": code, **params, "text": render(code, params)}))
    else:
        typer.echo(render(code, params, choose_language(lang)))
