"""SIGKILL at any moment, a full disk, and what the next start finds."""

import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.core.store.samples import POWER, at, reading

from igoudar.core.errors import StoreError
from igoudar.core.store.parquet import ParquetStore

WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from igoudar.core.model import Reading
from igoudar.core.store.parquet import ParquetStore

start = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
store = ParquetStore.open(Path(sys.argv[1]), hot_limit=3)
for second in range(int(sys.argv[2]), 100_000):
    store.append([Reading(start + timedelta(seconds=second), "pdu-1", {"active_power_w": float(second)})])
    print(second, flush=True)
"""


def append_until_killed(store: Path, first: int, acknowledged: int) -> int:
    """Let a process append from `first` on, kill it after some acknowledgements; the last one it gave."""
    command = [sys.executable, "-c", WRITER, str(store), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledged):
            writer.stdout.readline()
        writer.kill()
        seconds = [int(line) for line in writer.stdout if line.endswith("\n")]
    return seconds[-1] if seconds else first + acknowledged - 1


def test_no_acknowledged_batch_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - picks moments, keeps no secret
    store = tmp_path / "store"
    last = -1
    for _ in range(6):
        last = append_until_killed(store, last + 1, chance.randint(1, 40))
    with ParquetStore.open(store) as survivor:
        values = survivor.range([POWER], at(0), at(100_000))["value"].to_list()
        assert survivor.last_time() == at(values[-1])
    assert values[: last + 1] == [float(second) for second in range(last + 1)]
    assert not list(store.rglob("*.part"))


def test_what_a_killed_writer_left_is_cleaned(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with ParquetStore.open(store) as writer:
        writer.append([reading(0, 1.0)])
    left = [store / "hot" / "L0_x.parquet.part", store / "manifest.json.part", store / "cold" / "old.parquet"]
    for path in left:
        path.write_bytes(b"half")
    with ParquetStore.open(store) as writer:
        assert writer.range([POWER], at(0), at(1)).height == 1
    assert not [path for path in left if path.exists()]


@contextmanager
def disk_full() -> Iterator[None]:
    """No file may grow beyond 64 bytes: every write of a segment is refused by the kernel."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_the_batch_and_loses_nothing(tmp_path: Path) -> None:
    with ParquetStore.open(tmp_path / "store") as store:
        store.append([reading(0, 1.0)])
        with disk_full(), pytest.raises(StoreError, match="free disk space"):
            store.append([reading(5, 2.0, "pdu-new")])
        assert store.range([POWER], at(0), at(99))["value"].to_list() == [1.0]
        store.append([reading(10, 3.0), reading(10, 4.0, "pdu-new")])
        assert store.range([POWER], at(0), at(99))["value"].to_list() == [1.0, 3.0]
        assert set(store.latest()) == {"pdu-1", "pdu-new"}
    assert not list((tmp_path / "store").rglob("*.part"))
