"""A passing folder on the disk of the state, for a backup that is written and one that is put back."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PURPOSES = ("backup", "restore")


@contextmanager
def scratch_folder(state: Path, purpose: str) -> Iterator[Path]:
    """Hard links reach it, and a rename moves it into place.

    It is locked while in use; one that a killed process left is removed by whoever comes next.
    """
    sweep(state)
    with tempfile.TemporaryDirectory(prefix=f".{purpose}-", dir=state) as folder, _locked(Path(folder)):
        yield Path(folder)


def sweep(state: Path) -> None:
    """Remove scratch folders whose process is gone: their hard links would keep deleted samples on disk."""
    for folder in (path for purpose in PURPOSES for path in state.glob(f".{purpose}-*")):
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
