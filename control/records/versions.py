"""Every configuration that a start has used, kept whole, and the way back to one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from igoudar.control.records.own_tables import SiteVersionRow
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ActionRow
from igoudar.control.text import text
from igoudar.core.errors import ConfigError
from igoudar.core.site import locate_site


@dataclass(frozen=True, slots=True)
class Source:
    """Where a site's configuration was read, and what stood there."""

    name: str  # of a seed, or the file's path
    document: str


def read_source(name_or_path: str) -> Source:
    """The text of a site file, as it stands now.

    Raises:
        ConfigError: it can't be read.
    """
    with locate_site(name_or_path) as path:
        try:
            return Source(name_or_path, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"can't be read ({error})", where=str(path)) from error


def remember(records: Records, site: str, version: str, source: Source) -> None:
    """Keep what this start runs with."""
    now = datetime.now(UTC)
    known = version_of(records, version)
    records.merge(
        [
            SiteVersionRow(
                version=version,
                first_at=known.first_at if known else now,
                last_at=now,
                site=site,
                source=source.name,
                document=source.document,
            )
        ]
    )


def versions(records: Records) -> list[SiteVersionRow]:
    """All of them, the one used last first."""
    return records.rows(select(SiteVersionRow).order_by(SiteVersionRow.last_at.desc()))


def version_of(records: Records, version: str) -> SiteVersionRow | None:
    """One of them."""
    rows: list[SiteVersionRow] = records.rows(select(SiteVersionRow).where(SiteVersionRow.version == version))
    return rows[0] if rows else None


def stored(records: Records, version: str) -> SiteVersionRow:
    """One of them, which must be there.

    Raises:
        ConfigError: no start has used such a version.
    """
    row = version_of(records, version)
    if row is None:
        fix = "`igoudar site versions` shows those there are"
        raise ConfigError("no start has used such a configuration", where=version, fix=fix)
    return row


def rollback(
    records: Records, row: SiteVersionRow, target: Path, who: str, before: str, load: Callable[[Path], str]
) -> None:
    """Write a stored configuration to `target`, where the next start reads it; recorded.

    Args:
        records: Where it is kept.
        row: The configuration.
        target: The site file.
        who: Who asked.
        before: The version that stands there now, "" when it can't be loaded.
        load: The version of a site file.

    Raises:
        ConfigError: the file can't be written, or is not that version any more (a member changed, say).
    """
    part = target.with_name(f".{target.stem}.rollback.toml")
    try:
        part.write_text(row.document, encoding="utf-8")
        found = load(part)
        if found != row.version:
            what = f"the stored file is now version {found}, not {row.version}"
            fix = "bring back the member sites and profiles it was used with"
            raise ConfigError(what, where=str(target), fix=fix)
        part.replace(target)
    except OSError as error:
        raise ConfigError(f"can't be written ({error.strerror})", where=str(target)) from error
    finally:
        part.unlink(missing_ok=True)
    records.add([_line(row, target, who, before)])


def _line(row: SiteVersionRow, target: Path, who: str, before: str) -> ActionRow:
    said = text("audit.rolled_back", version=row.version, path=str(target))
    return ActionRow(
        at=datetime.now(UTC),
        who=who,
        verb="config_rollback",
        target=str(target),
        before=before or None,
        after=row.version,
        code=said.code,
        params=said.params,
        result="done",
        config_version=row.version,
    )
