"""SIGKILL and a full disk at every fsync, rename and deletion of merging, rolling up and retention."""

import errno
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.core.store.doomed import END, KEEP, QUARTER_HOUR, SECONDS, doomed, fill, maintain
from tests.core.store.model import assert_same, expected, given
from tests.core.store.samples import POWER, START, at
from tests.core.store.test_recovery import flip_a_bit

from igoudar.core.errors import StoreBusyError
from igoudar.core.model import Quality
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.verify import verify_store

SERVER = multiprocessing.get_context("forkserver")  # a fresh process in milliseconds, polars not started
SERVER.set_forkserver_preload(["tests.core.store.doomed"])

STRIDES = [7, pytest.param(1, marks=pytest.mark.soak)]  # every step is tried in `make soak`


def wanted() -> dict[Any, Any]:
    samples = [(at(second), float(index), Quality.GOOD) for index, second in enumerate(SECONDS)]
    return expected(POWER, samples, START, END, QUARTER_HOUR)


def assert_holds(store: Path) -> None:
    """Every sample is in the 15-min roll-up, once; nothing is damaged or left over."""
    with ParquetStore.open(store, hot_limit=100, retention=KEEP) as writer:
        assert_same(given(writer.rollup([POWER], START, END, QUARTER_HOUR)), wanted())
    assert verify_store(store).damaged == ()
    assert not list(store.rglob("*.part"))


@pytest.mark.parametrize("stride", STRIDES)
def test_no_kill_at_any_step_loses_or_invents_a_sample(tmp_path: Path, stride: int) -> None:
    fill(tmp_path / "filled")
    for steps in count(1, stride):
        store = tmp_path / str(steps)
        shutil.copytree(tmp_path / "filled", store)
        process = SERVER.Process(target=doomed, args=(store, steps))
        process.start()
        process.join(60)
        assert_holds(store)
        maintain(store)
        assert_holds(store)
        shutil.rmtree(store)
        if process.exitcode == 0:
            assert steps > 20
            return
        assert process.exitcode == -signal.SIGKILL


@contextmanager
def full_at(call: int) -> Iterator[list[bool]]:
    """The disk is full at one call of fsync and from then on; the list tells whether it came to that."""
    real, calls = os.fsync, count(1)
    reached: list[bool] = []

    def fsync(descriptor: Any) -> None:
        if next(calls) >= call:
            reached.append(True)
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    os.fsync = fsync  # type: ignore[assignment]
    try:
        yield reached
    finally:
        os.fsync = real


@pytest.mark.parametrize("stride", STRIDES)
def test_a_disk_full_at_any_step_of_maintenance_loses_nothing(tmp_path: Path, stride: int) -> None:
    fill(tmp_path / "filled")
    for call in count(1, stride):
        store = tmp_path / str(call)
        shutil.copytree(tmp_path / "filled", store)
        with ParquetStore.open(store, hot_limit=100, retention=KEEP) as writer:
            with full_at(call) as reached, suppress(StoreBusyError):
                writer.compact()
            assert_same(given(writer.rollup([POWER], START, END, QUARTER_HOUR)), wanted())
            writer.compact()
        assert_holds(store)
        shutil.rmtree(store)
        if not reached:
            return


def test_a_bit_flipped_in_any_file_gives_no_wrong_bucket(tmp_path: Path) -> None:
    fill(tmp_path / "filled")
    maintain(tmp_path / "filled")
    files = [path for path in (tmp_path / "filled").rglob("*") if path.is_file() and path.name != "lock"]
    for number, path in enumerate(files):
        store = tmp_path / str(number)
        shutil.copytree(tmp_path / "filled", store)
        flip_a_bit(store / path.relative_to(tmp_path / "filled"))
        maintain(store)
        with ParquetStore.open(store, hot_limit=100, retention=KEEP) as writer:
            found = given(writer.rollup([POWER], START, END, QUARTER_HOUR))
        whole = wanted()
        assert set(found) <= set(whole)
        assert all(found[time][:4] == whole[time][:4] for time in found)
