"""Small files that survive a power cut: whole or absent, and named on disk."""

import os
from pathlib import Path

PART = ".part"


def write_durably(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that it survives a power cut once this returns; whole or not at all.

    Raises:
        OSError: nothing was left behind.
    """
    part = path.with_name(path.name + PART)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(path.parent)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
