"""Putting a backup in place of what a stopped site has kept."""

import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from igoudar.app.backup import (
    ANCHOR,
    ANCHORS,
    ELSEWHERE,
    EXPORT,
    HEADER,
    PARTS,
    STORE,
    Contents,
    refused,
    sha256,
)
from igoudar.app.scratch import scratch_folder
from igoudar.app.state import held
from igoudar.collectors.keeping import SPOOL
from igoudar.control.records.opening import RECORDS
from igoudar.core.errors import ConfigError
from igoudar.core.store.files import WriterLock, sync_folder
from igoudar.core.store.manifest import SCHEMA_VERSION
from igoudar.core.store.parquet import LOCK_NAME
from igoudar.core.store.verify import verify_store


def restore(archive: Path, state: Path, *, force: bool = False) -> tuple[Contents, Path | None]:
    """Put a backup's store and records in place; what it holds, and where the former ones went.

    Raises:
        ConfigError: the archive can't be used, or the state is not empty and `force` was not given.
        StoreError: a running igoudar holds the store, or the disk refused; the state is as it was.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with scratch_folder(state, "restore") as scratch:
            contents = _unpack(archive, scratch)
            with _stopped(state):
                return contents, _swap(scratch, state, force=force)
    except OSError as error:
        raise refused("the backup could not be restored", state, error) from error


def _unpack(archive: Path, scratch: Path) -> Contents:
    try:
        with tarfile.open(archive, mode="r:") as tar:
            for member in tar:
                _extract(tar, member, scratch)
        contents = Contents.parse(json.loads((scratch / HEADER).read_text()))
    except FileNotFoundError as error:
        raise _unusable(archive, "there is no such backup") from error
    except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise _unusable(archive, f"not a usable backup ({error})") from error
    _check(archive, scratch, contents)
    return contents


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, scratch: Path) -> None:
    """Only plain files under the names that a backup has; an archive is a stranger's until proven sound."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or name.parts[0] not in PARTS:
        raise ValueError(f"unexpected {member.name!r}")
    if (content := tar.extractfile(member) if member.isfile() else None) is not None:
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        with content, (scratch / name).open("wb") as file:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())


def _check(archive: Path, scratch: Path, contents: Contents) -> None:
    if contents.store_schema > SCHEMA_VERSION:
        raise _unusable(archive, f"its store has schema {contents.store_schema}, newer than {SCHEMA_VERSION}")
    records = scratch / (contents.records or RECORDS)
    if contents.records_sha256 and sha256(records) != contents.records_sha256:
        raise _unusable(archive, "its records are damaged")
    # A store of an older schema is verified by its migration instead.
    if contents.store_schema == SCHEMA_VERSION and verify_store(scratch / STORE).damaged:
        raise _unusable(archive, "its store is damaged")


@contextmanager
def _stopped(state: Path) -> Iterator[None]:
    """Keep supervisor and writer out while files change places."""
    with held(state):
        if not (state / STORE).exists():
            yield
            return
        with WriterLock(state / STORE / LOCK_NAME):
            yield


def _swap(scratch: Path, state: Path, *, force: bool) -> Path | None:
    names = (STORE, SPOOL, RECORDS, f"{RECORDS}-wal", f"{RECORDS}-shm", EXPORT)
    present = [name for name in names if (state / name).exists()]
    if present and not force:
        raise ConfigError(
            f"there is already a {present[0]} here",
            where=str(state),
            fix="restore into another folder with --state, or add --force, which moves the present one aside",
        )
    aside = _move_aside(state, present) if present else None
    for name in (STORE, SPOOL, RECORDS, EXPORT):
        if (scratch / name).exists():
            shutil.move(scratch / name, state / name)
    _put_anchors(scratch / ANCHORS, state)
    sync_folder(state)
    return aside


def _put_anchors(source: Path, state: Path) -> None:
    """An anchor that is there stays: it may know of more than the backup does, and that is the truth."""
    for name, place in ((ANCHOR, ANCHOR), (ELSEWHERE, f"{ANCHOR}.elsewhere")):
        if (source / name).exists() and not (state / place).exists():
            shutil.move(source / name, state / place)


def _move_aside(state: Path, names: list[str]) -> Path:
    aside = Path(tempfile.mkdtemp(prefix=f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-", dir=state))
    for name in names:
        (state / name).rename(aside / name)
    return aside


def inspect(archive: Path) -> Contents:
    """What a backup holds, fully checked.

    Raises:
        ConfigError: it can't be used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        return _unpack(archive, Path(scratch))


def _unusable(archive: Path, what: str) -> ConfigError:
    return ConfigError(what, where=str(archive), fix="name a file that `igoudar backup` wrote")
