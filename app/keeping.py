"""`igoudar backup | restore | doctor`: keeping a site's data, and finding out what ails it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from igoudar.core.i18n import choose_language, render
from igoudar.core.state_path import state_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from igoudar.app.backup import Contents
    from igoudar.app.backup_told import Note

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
    from igoudar.app.backup_told import missing
    from igoudar.app.kept import kept

    folder, known = _folder(site, state), kept(site)
    found = archive.preview(folder, known) if dry_run else archive.backup(folder, file, known)
    code = "app.keep_backup_would" if dry_run else "app.keep_backup_done"
    notes = list(missing(found, known, folder))
    _print(code, {"file": str(file)}, found, notes, as_json=as_json, lang=lang)


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
    params = {"file": str(file), "state": str(folder), "aside": str(aside or "")}
    code = "app.keep_restore_would" if dry_run else "app.keep_restore_done"
    export = ("app.keep_restore_export", {"path": str(folder / found.records)})
    notes = [export] if found.records == EXPORT else []
    _print(f"{code}_aside" if aside else code, params, found, notes, as_json=as_json, lang=lang)


def doctor(
    site: SiteName = "jazari-lab", state: State = None, as_json: Json = False, lang: Lang = None
) -> None:
    """One line per finding."""
    from igoudar.app.doctor import examine
    from igoudar.app.finding import Level
    from igoudar.app.kept import kept

    findings = examine(_folder(site, state), kept(site).audit)
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


def _print(
    code: str,
    params: dict[str, Any],
    found: "Contents",
    notes: "Sequence[Note]",
    *,
    as_json: bool,
    lang: str | None,
) -> None:
    """A sentence of what the archive holds, then one for each thing that a person must know besides."""
    from igoudar.app.backup_told import contents_text

    language = "en" if as_json else choose_language(lang)
    told = {**params, **found.as_json(), "contents": contents_text(found, language)}
    lines = [render(one, words, language) for one, words in ((code, told), *notes)]
    if as_json:
        document = {"code": code, **told, "text": " ".join(lines), "notes": [one for one, _ in notes]}
        typer.echo(json.dumps(document))
    else:
        typer.echo("\n".join(lines))
