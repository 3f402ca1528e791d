import signal
import subprocess
import sys
from pathlib import Path

import pytest

from igoudar.control.lease.file import FileLease
from igoudar.core.errors import StoreError

WAIT_S = 20.0


HOLD = """
import signal, sys
from pathlib import Path
from igoudar.control.lease.file import FileLease
lease = FileLease(Path(sys.argv[1]))
lease.take()
print(lease.epoch, flush=True)
signal.pause()
"""


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
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "1\n"
        lease = FileLease(tmp_path)
        process.send_signal(signal.SIGSTOP)
        assert not lease.take()
        process.kill()
        process.wait(WAIT_S)
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
