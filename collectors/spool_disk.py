"""The few things that the spool asks of a disk, so that tests can stop it at any one of them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from igoudar.core.store.files import make_folder, sync_folder


class Disk(Protocol):
    """One folder of files. Every call may raise OSError."""

    def sizes(self) -> dict[str, int]:
        """Files and their sizes [bytes]."""
        ...

    def read(self, name: str, most_bytes: int = -1) -> bytes:
        """A file's content, or its beginning."""
        ...

    def append(self, name: str, content: bytes) -> None:
        """Add to the end of a file, creating it; durable only after `sync` (and `sync_folder` when new)."""
        ...

    def truncate(self, name: str, size: int) -> None:
        """Cut a file."""
        ...

    def sync(self, name: str) -> None:
        """Make a file's content durable."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Put a file in the place of another."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file; none there is no error."""
        ...

    def sync_folder(self) -> None:
        """Make creations, renames and deletions durable."""
        ...


class FolderDisk:
    """A folder (0700) of the real file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_folder(folder)

    def sizes(self) -> dict[str, int]:
        """Files and their sizes [bytes]."""
        return {path.name: path.stat().st_size for path in self.folder.iterdir() if path.is_file()}

    def read(self, name: str, most_bytes: int = -1) -> bytes:
        """A file's content, or its beginning."""
        with (self.folder / name).open("rb") as file:
            return file.read(most_bytes)

    def append(self, name: str, content: bytes) -> None:
        """Add to the end of a file, creating it."""
        with (self.folder / name).open("ab", buffering=0) as file:
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) :]

    def truncate(self, name: str, size: int) -> None:
        """Cut a file."""
        os.truncate(self.folder / name, size)

    def sync(self, name: str) -> None:
        """Make a file's content durable."""
        with (self.folder / name).open("rb") as file:
            os.fsync(file.fileno())

    def rename(self, old: str, new: str) -> None:
        """Put a file in the place of another."""
        (self.folder / old).replace(self.folder / new)

    def remove(self, name: str) -> None:
        """Delete a file; none there is no error."""
        (self.folder / name).unlink(missing_ok=True)

    def sync_folder(self) -> None:
        """Make creations, renames and deletions durable."""
        sync_folder(self.folder)


def replace_durably(disk: Disk, name: str, content: bytes) -> None:
    """Put `content` in the place of a file: after a crash it is the old or the new one, whole.

    Raises:
        OSError: the former file still holds.
    """
    part = f"{name}.part"
    disk.remove(part)
    disk.append(part, content)
    disk.sync(part)
    disk.rename(part, name)
    disk.sync_folder()


def leftovers(names: Sequence[str]) -> list[str]:
    """Parts of files that a crash left behind."""
    return [name for name in names if name.endswith(".part")]
