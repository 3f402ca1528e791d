"""A consistent copy of a site's store, spool, records and audit anchors in one file."""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from igoudar.app import pg_export
from igoudar.app.kept import Kept
from igoudar.app.scratch import scratch_folder
from igoudar.collectors.keeping import LOCK, SPOOL
from igoudar.collectors.spool_look import backlog
from igoudar.control.records.opening import RECORDS, anchors_of
from igoudar.core.errors import StoreError
from igoudar.core.model_people import Auditing
from igoudar.core.store.files import sync_folder
from igoudar.core.store.manifest import DamagedManifestError, read_document
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.verify import link_store, verify_store

BACKUP_SCHEMA = 2
KNOWN = (1, BACKUP_SCHEMA)  # the first had neither spool nor anchors nor a PostgreSQL's records
STORE = "store"
EXPORT = "records.pgdump"  # of a PostgreSQL
ANCHORS = "anchors"
ANCHOR, ELSEWHERE = "audit.anchor", "elsewhere.anchor"  # of the state folder, of another disk
HEADER = "backup.json"
PARTS = (HEADER, RECORDS, EXPORT, ANCHORS, SPOOL, STORE)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup file holds; times are UTC."""

    created_at: datetime
    store_schema: int  # 0 = without a store
    samples: int
    last_time: datetime | None
    records_sha256: str  # "" when the site had no records yet, or they are not in it
    records: str = RECORDS  # or EXPORT; "" = none are in it
    spool_batches: int = 0
    anchors: int = 0  # files

    @property
    def stored(self) -> bool:
        """Whether a store is in it; an InfluxDB's samples never are."""
        return self.store_schema > 0

    def as_json(self) -> dict[str, Any]:
        """As stored in the file and shown by `--json`."""
        return {
            "schema": BACKUP_SCHEMA,
            "created_at": self.created_at.isoformat(),
            "store_schema": self.store_schema,
            "samples": self.samples,
            "last_time": self.last_time.isoformat() if self.last_time else None,
            "records_sha256": self.records_sha256,
            "records": self.records,
            "spool_batches": self.spool_batches,
            "anchors": self.anchors,
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Contents":
        """From the file's header.

        Raises:
            KeyError, ValueError, TypeError: it is no header of this schema.
        """
        if document["schema"] not in KNOWN:
            raise ValueError(f"backup schema {document['schema']}, known is {BACKUP_SCHEMA}")
        last = document["last_time"]
        return cls(
            datetime.fromisoformat(document["created_at"]),
            int(document["store_schema"]),
            int(document["samples"]),
            datetime.fromisoformat(last) if last else None,
            str(document["records_sha256"]),
            str(document.get("records", RECORDS)),
            int(document.get("spool_batches", 0)),
            int(document.get("anchors", 0)),
        )


def backup(state: Path, archive: Path, kept: Kept) -> Contents:
    """Write what a site has kept, running or not, to `archive`; secrets stay out.

    A PostgreSQL's records are in it where there is a pg_dump, an InfluxDB's samples never.

    Raises:
        ConfigError: the database's address can't be used.
        StoreError: nothing to back up, pg_dump or the disk refused; no half-written archive is left.
    """
    _look(state, kept)
    part = archive.with_name(archive.name + ".part")
    try:
        with scratch_folder(state, "backup") as scratch:
            # What goes on to the store, or is anchored, meanwhile is then in both or in the later one.
            _link_spool(state / SPOOL, scratch / SPOOL)
            _copy_anchors(state, kept.audit, scratch / ANCHORS)
            if (state / STORE).exists():
                link_store(state / STORE, scratch / STORE)
            _keep_records(state, kept.audit, scratch)
            contents = _describe(scratch)
            (scratch / HEADER).write_text(json.dumps(contents.as_json()))
            _pack(scratch, part)
        part.rename(archive)
        sync_folder(archive.parent)
    except (OSError, sqlite3.Error) as error:
        raise refused("the backup could not be written", archive, error) from error
    finally:
        part.unlink(missing_ok=True)
    return contents


def preview(state: Path, kept: Kept) -> Contents:
    """What a backup would hold now.

    Raises:
        StoreError: there is nothing to back up.
    """
    _look(state, kept)
    found = _describe(state)
    exported = EXPORT if pg_export.installed() else ""
    own = found.records if found.records != EXPORT else ""  # what a restore has left lies there unread
    records = exported if kept.audit.url_file else own
    anchors = sum(one.path.exists() for one in anchors_of(kept.audit, state))
    return replace(found, records=records, anchors=anchors)


def _look(state: Path, kept: Kept) -> None:
    """That there is something to keep.

    Raises:
        StoreError: no state folder, or no store where the site is not known to have an InfluxDB.
    """
    if kept.samples_elsewhere and state.is_dir() and not (state / STORE).exists():
        return
    try:
        read_document(state / STORE)
    except DamagedManifestError:
        raise
    except StoreError as error:
        if not kept.unknown:
            raise
        what = f"no store here, and whether an InfluxDB holds the samples is not known ({kept.unknown})"
        fix = "mend the site file, then back up again"
        raise StoreError(what, where=str(state / STORE), fix=fix) from error


def _link_spool(source: Path, target: Path) -> None:
    """Hard links; a file that grows meanwhile is packed as long as it was; half a record is stepped over."""
    for path in source.rglob("*") if source.is_dir() else ():
        if path.is_file() and path.name != LOCK:
            link = target / path.relative_to(source)
            link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # it has just been stored
                link.hardlink_to(path)


def _copy_anchors(state: Path, rules: Auditing, target: Path) -> None:
    target.mkdir(mode=0o700)
    for one, name in zip(anchors_of(rules, state), (ANCHOR, ELSEWHERE), strict=False):
        if one.path.exists():
            shutil.copyfile(one.path, target / name)


def _keep_records(state: Path, rules: Auditing, scratch: Path) -> None:
    if not rules.url_file:
        _copy_records(state / RECORDS, scratch / RECORDS)
    elif pg_export.installed():
        pg_export.export(Path(rules.url_file).expanduser(), scratch, scratch / EXPORT)


def _copy_records(source: Path, target: Path) -> None:
    if source.exists():
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)


def _describe(scratch: Path) -> Contents:
    schema, samples, last = _described(scratch / STORE)
    records = next((scratch / name for name in (RECORDS, EXPORT) if (scratch / name).exists()), None)
    return Contents(
        datetime.now(UTC).replace(microsecond=0),
        schema,
        samples,
        last,
        sha256(records) if records else "",
        records.name if records else "",
        backlog(scratch / SPOOL).batches,
        sum(1 for _ in (scratch / ANCHORS).glob("*")),
    )


def _described(store: Path) -> tuple[int, int, datetime | None]:
    """Schema, samples and the newest one's time."""
    if not store.exists():
        return 0, 0, None
    rows = verify_store(store).rows
    return int(read_document(store)["schema"]), rows, ParquetReader(store).last_time()


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(scratch: Path, part: Path) -> None:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name in PARTS:
                if (scratch / name).exists():
                    tar.add(scratch / name, arcname=name)
        file.flush()
        os.fsync(file.fileno())


def refused(what: str, where: Path, error: Exception) -> StoreError:
    """The error for a disk that said no."""
    return StoreError(f"{what} ({error})", where=str(where), fix="free disk space or check permissions")
