"""`igoudar store stats | verify | compact | export`: looking after the embedded store."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from igoudar.core.errors import ConfigError, StoreError
from igoudar.core.i18n import choose_language, render
from igoudar.core.state_path import state_path

if TYPE_CHECKING:
    from igoudar.core.store.export import Selection
    from igoudar.core.store.reader import ParquetReader

SiteName = Annotated[str, typer.Argument(help="A bundled site's name or a site file.")]
State = Annotated[Path | None, typer.Option("--state", help="State folder of the site.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Lang = Annotated[str | None, typer.Option("--lang", help="en or fr.")]
Instant = Annotated[datetime | None, typer.Option(help="UTC, such as 2026-11-22T06:00.")]

STORE = "store"
DEFAULT_SITE = "jazari-lab"
TIER_NAMES = {"raw": "cold", "minute": "minute", "quarter": "quarter"}


def add_commands(app: typer.Typer) -> None:
    """Register `igoudar store ...`."""
    group = typer.Typer(no_args_is_help=True, help="Look after the embedded store.")
    group.command(help="Show what the store holds: files, rows, bytes and days of each tier.")(stats)
    group.command(help="Hash every file; exit code 1 when one is damaged.")(verify)
    group.command(help="Merge and roll up everything now; the collector must be stopped.")(compact)
    group.command(help="Write samples or roll-ups to a Parquet, CSV or line-protocol file.")(export)
    app.add_typer(group, name="store")


def stats(
    site: SiteName = DEFAULT_SITE, state: State = None, as_json: Json = False, lang: Lang = None
) -> None:
    """One line per tier."""
    from igoudar.core.store.figures import store_stats

    found = store_stats(_folder(site, state))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str))
        return
    language = choose_language(lang)
    for tier in found.tiers:
        span = f"{tier.first:%Y-%m-%d %H:%M} - {tier.last:%Y-%m-%d %H:%M} UTC" if tier.first else "-"
        params = {**asdict(tier), "mib": tier.size_bytes / 2**20, "span": span}
        typer.echo(render("store.tier", params, language))
    typer.echo(render("store.stats", asdict(found), language))


def verify(
    site: SiteName = DEFAULT_SITE, state: State = None, as_json: Json = False, lang: Lang = None
) -> None:
    """Every file against its checksum."""
    from igoudar.core.store.verify import verify_store

    found = verify_store(_folder(site, state))
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        language = choose_language(lang)
        typer.echo(render("store.verified", asdict(found), language))
        for name in found.damaged:
            typer.echo(render("store.damaged", {"name": name}, language))
        for name, why in found.quarantined:
            typer.echo(render("store.quarantined", {"name": name, "why": why}, language))
    if found.damaged:
        raise typer.Exit(1)


def compact(
    site: SiteName = DEFAULT_SITE,
    state: State = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Close every hour and day, and let go what is older than the site keeps."""
    from igoudar.core.store.figures import store_stats
    from igoudar.core.store.parquet import ParquetStore

    folder = _folder(site, state)
    before = store_stats(folder)
    if not dry_run:
        with ParquetStore.open(folder, retention=_retention(site)) as store:
            store.compact()
    after = store_stats(folder)
    params = {
        "files_before": sum(tier.files for tier in before.tiers),
        "files": sum(tier.files for tier in after.tiers),
        "hours": before.hours_not_rolled_up,
    }
    _print("store.would_compact" if dry_run else "store.compacted", params, as_json=as_json, lang=lang)


def export(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    site: SiteName = DEFAULT_SITE,
    state: State = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write Parquet.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    line_protocol: Annotated[bool, typer.Option("--line-protocol", help="Write InfluxDB lines.")] = False,
    start: Instant = None,
    end: Instant = None,
    device: Annotated[list[str] | None, typer.Option(help="Only this device; may be given again.")] = None,
    tier: Annotated[str, typer.Option(help="raw, minute or quarter.")] = "raw",
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Stream it out while the site runs or not."""
    from igoudar.core.store.export import Selection
    from igoudar.core.store.reader import ParquetReader
    from igoudar.core.store.tiers import TIERS

    if [parquet, csv, line_protocol].count(True) != 1:
        raise ConfigError("an export has one format", fix="add --parquet, --csv or --line-protocol")
    if tier not in TIER_NAMES:
        raise ConfigError(f"there is no tier {tier!r}", fix=f"name one of {', '.join(TIER_NAMES)}")
    chosen = next(one for one in TIERS if one.folder == TIER_NAMES[tier])
    selection = Selection(chosen, _utc(start), _utc(end), device)
    reader = ParquetReader(_folder(site, state))
    reader.last_time()  # no store is said before a file is made
    write = _writer(site, parquet=parquet, csv=csv)
    rows = _whole(file, lambda part: write(reader, selection, part))
    _print("store.exported", {"file": str(file), "rows": rows}, as_json=as_json, lang=lang)


def _writer(site: str, *, parquet: bool, csv: bool) -> "Callable[[ParquetReader, Selection, Path], int]":
    from igoudar.core.store.export import write_csv, write_lines, write_parquet

    if parquet:
        return write_parquet

    def text(reader: "ParquetReader", selection: "Selection", path: Path) -> int:
        with path.open("wb") as out:
            if csv:
                return write_csv(reader, selection, out)
            from igoudar.app.parts_cli import load

            plan, _ = load(site)
            return write_lines(reader, selection, plan.name, {one.name: one for one in plan.devices}, out)

    return text


def _whole(file: Path, write: Callable[[Path], int]) -> int:
    """Write beside `file` and rename: it is whole or not there."""
    part = file.with_name(file.name + ".part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        rows = write(part)
        part.rename(file)
    except OSError as error:
        what = f"the export could not be written ({error.strerror or error})"
        raise StoreError(what, where=str(file), fix="free disk space or check permissions") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return rows


def _folder(site: str, state: Path | None) -> Path:
    """The store of a site, which need not be loadable for its data to be looked after."""
    if state is None and Path(site).is_file():
        from igoudar.app.parts_cli import load

        site = load(site)[0].name
    return state_path(site, state) / STORE


def _retention(site: str) -> Any:
    from igoudar.app.parts_cli import load
    from igoudar.core.store.tiers import Retention

    kept = load(site)[0].store
    return Retention(kept.raw_days, kept.minute_days, kept.quarter_days)


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.replace(tzinfo=UTC)


def _print(code: str, params: dict[str, Any], *, as_json: bool, lang: str | None) -> None:
    if as_json:
        typer.echo(json.dumps({"code": code, **params, "text": render(code, params)}))
    else:
        typer.echo(render(code, params, choose_language(lang)))
