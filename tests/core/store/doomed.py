"""A store to be maintained, and a process that dies at a chosen step of it."""

import os
import signal
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from tests.core.store.samples import START, reading

from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.tiers import Retention

SECONDS = [day * 86_400 + minute * 60 for day in range(3) for minute in range(0, 130, 10)]
KEEP = Retention(1, 2, 9)
END, QUARTER_HOUR = START + timedelta(days=4), timedelta(minutes=15)


def fill(store: Path) -> None:
    """Two days closed, one day of appends that wait: closing it moves days and drops some."""
    with ParquetStore.open(store, hot_limit=100, retention=KEEP) as writer:
        for index, second in enumerate(SECONDS):
            writer.append([reading(second, float(index))])
            if index % 13 == 12 and second < 2 * 86_400:
                writer.compact()


def doomed(store: Path, steps: int) -> None:
    """Maintain a store until the given fsync, rename or deletion, and die there."""
    left = count(steps - 1, -1)

    def dying(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    os.fsync = dying(os.fsync)
    Path.rename, Path.unlink = dying(Path.rename), dying(Path.unlink)  # type: ignore[method-assign]
    maintain(store)


def maintain(store: Path) -> None:
    with ParquetStore.open(store, hot_limit=100, retention=KEEP) as writer:
        writer.compact()
