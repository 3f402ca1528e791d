import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from igoudar.control.lease.file import FileLease
from igoudar.core.errors import StoreError

WAIT_S = 20.0


def _hold(state: Path, told: Connection) -> None:
    lease = FileLease(state)
    lease.take()
    told.send(lease.epoch)
    signal.pause()


def test_one_at_a_time_and_every_holding_has_a_higher_epoch(tmp_path: Path) -> None:
    first, second = FileLease(tmp_path), FileLease(tmp_path)
    assert first.take()
    assert first.take()
    assert (first.epoch, first.held(), first.remaining_s()) == (1, True, 30.0)
    assert not second.take()
    assert (second.epoch, second.held(), second.remaining_s()) == (0, False, 0.0)
    first.close()
    assert not first.held()
    assert second.take()
    assert second.epoch == 2
    second.close()


def test_a_killed_holder_leaves_the_lease_a_stopped_one_keeps_it(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_hold, args=(tmp_path, theirs))
    process.start()
    assert ours.poll(WAIT_S)
    assert ours.recv() == 1
    lease = FileLease(tmp_path)
    assert process.pid
    os.kill(process.pid, signal.SIGSTOP)
    assert not lease.take()
    os.kill(process.pid, signal.SIGKILL)
    process.join(WAIT_S)
    assert lease.take()
    assert lease.epoch == 2
    lease.close()


def test_the_epoch_never_falls_behind_what_collect_has_obeyed(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text("41\n")
    (tmp_path / "writer.epoch").write_text("cut off")
    lease = FileLease(tmp_path)
    assert lease.take()
    assert lease.epoch == 42
    lease.close()


def test_a_lock_whose_file_was_removed_is_no_lock(tmp_path: Path) -> None:
    first, second = FileLease(tmp_path), FileLease(tmp_path)
    first.take()
    (tmp_path / "writer.lock").unlink()
    assert not first.held()
    assert second.take()
    assert not first.take()
    assert not first.held()
    second.close()


def test_a_disk_that_refuses_gives_no_lease(tmp_path: Path) -> None:
    lease = FileLease(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="can't be kept"):
        lease.take()
    assert not lease.held()
