"""A consistent copy of a site's store and records in one file."""

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from igoudar.core.errors import StoreError
from igoudar.core.store.files import sync_folder
from igoudar.core.store.manifest import read_document
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.verify import link_store, verify_store

BACKUP_SCHEMA = 1
STORE = "store"
RECORDS = "state.sqlite"
HEADER = "backup.json"
SCRATCH = ("backup", "restore")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup file holds; times are UTC."""

    created_at: datetime
    store_schema: int
    samples: int
    last_time: datetime | None
    records_sha256: str  # "" when the site had no records yet

    def as_json(self) -> dict[str, Any]:
        """As stored in the file and shown by `--json`."""
        return {
            "schema": BACKUP_SCHEMA,
            "created_at": self.created_at.isoformat(),
            "store_schema": self.store_schema,
            "samples": self.samples,
            "last_time": self.last_time.isoformat() if self.last_time else None,
            "records_sha256": self.records_sha256,
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Contents":
        """From the file's header.

        Raises:
            KeyError, ValueError, TypeError: it is no header of this schema.
        """
        if document["schema"] != BACKUP_SCHEMA:
            raise ValueError(f"backup schema {document['schema']}, known is {BACKUP_SCHEMA}")
        last = document["last_time"]
        return cls(
            datetime.fromisoformat(document["created_at"]),
            int(document["store_schema"]),
            int(document["samples"]),
            datetime.fromisoformat(last) if last else None,
            str(document["records_sha256"]),
        )


def backup(state: Path, archive: Path) -> Contents:
    """Write store and records of a site, running or not, to `archive`; secrets stay out.

    Raises:
        StoreError: nothing to back up, or the disk refused; no half-written archive is left.
    """
    read_document(state / STORE)
    part = archive.with_name(archive.name + ".part")
    try:
        with scratch_folder(state, "backup") as scratch:
            link_store(state / STORE, scratch / STORE)
            _copy_records(state / RECORDS, scratch / RECORDS)
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


def preview(state: Path) -> Contents:
    """What a backup would hold now.

    Raises:
        StoreError: there is nothing to back up.
    """
    return _describe(state)


@contextmanager
def scratch_folder(state: Path, purpose: str) -> Iterator[Path]:
    """A passing folder on the disk of the state: hard links reach it, and a rename moves it into place.

    It is locked while in use; one that a killed process left is removed by whoever comes next.
    """
    sweep(state)
    with tempfile.TemporaryDirectory(prefix=f".{purpose}-", dir=state) as folder, _locked(Path(folder)):
        yield Path(folder)


def sweep(state: Path) -> None:
    """Remove scratch folders whose process is gone: their hard links would keep deleted samples on disk."""
    for folder in (path for purpose in SCRATCH for path in state.glob(f".{purpose}-*")):
        with suppress(OSError), _locked(folder):  # refused: a process is at work in it
            shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _copy_records(source: Path, target: Path) -> None:
    if source.exists():
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)


def _describe(scratch: Path) -> Contents:
    verified = verify_store(scratch / STORE)
    records = scratch / RECORDS
    return Contents(
        datetime.now(UTC).replace(microsecond=0),
        int(read_document(scratch / STORE)["schema"]),
        verified.rows,
        ParquetReader(scratch / STORE).last_time(),
        sha256(records) if records.exists() else "",
    )


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(scratch: Path, part: Path) -> None:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name in (HEADER, RECORDS, STORE):
                if (scratch / name).exists():
                    tar.add(scratch / name, arcname=name)
        file.flush()
        os.fsync(file.fileno())


def refused(what: str, where: Path, error: Exception) -> StoreError:
    """The error for a disk that said no."""
    return StoreError(f"{what} ({error})", where=str(where), fix="free disk space or check permissions")
