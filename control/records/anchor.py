"""Anchors of the audit chain outside its database: a file that only grows, so that a cut chain shows."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from igoudar.control.records.chain import Link
from igoudar.core.durable import sync_folder

MODE = 0o600


@dataclass(slots=True)
class Anchor:
    """One file of lines `NUMBER HASH TIME`; `refused` is why the last line is not in it."""

    path: Path
    refused: str = ""

    def note(self, end: Link) -> None:
        """Add the chain's end and have it on disk; a disk that refuses is remembered, not raised."""
        line = f"{end.number} {end.hash} {datetime.now(UTC).isoformat(timespec='seconds')}\n"
        try:
            _append(self.path, line.encode())
            self.refused = ""
        except OSError as error:
            self.refused = error.strerror or str(error)

    def links(self) -> list[Link]:
        """Every anchored link, in the file's order; a line that a power cut tore says nothing.

        Raises:
            OSError: the file is there and can't be read.
        """
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="ascii", errors="replace").splitlines()
        return [link for line in lines if (link := _parsed(line)) is not None]

    def last(self) -> Link | None:
        """The newest anchored link."""
        links = self.links()
        return links[-1] if links else None


def anchors(state: Path, elsewhere: str) -> tuple[Anchor, ...]:
    """The anchor in the state folder and, where the site names one, the one on another disk."""
    paths = [state / "audit.anchor", *([Path(elsewhere)] if elsewhere else [])]
    return tuple(Anchor(path) for path in paths)


def note_all(files: Iterable[Anchor], end: Link) -> None:
    """Anchor the chain's end everywhere."""
    for file in files:
        file.note(end)


def refused(files: Sequence[Anchor]) -> str:
    """Why an anchor is not kept; empty while all are."""
    return "; ".join(f"{file.path}: {file.refused}" for file in files if file.refused)


def _append(path: Path, line: bytes) -> None:
    fresh = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, MODE)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        whole = b"\n" + line if torn else line
        if os.write(descriptor, whole) != len(whole):
            raise OSError(0, "written in part only")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if fresh:
        sync_folder(path.parent)


def _parsed(line: str) -> Link | None:
    words = line.split()
    with suppress(ValueError):
        if len(words) == 3 and len(words[1]) == 64:
            return Link(int(words[0]), words[1])
    return None
