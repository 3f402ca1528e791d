import os
from pathlib import Path

import pytest

from igoudar.control.failsafe.heartbeat import NAME, Beat, Heartbeat, process_lives, read_beat


def test_each_beat_is_another_and_a_clean_stop_leaves_none(tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path)
    assert read_beat(tmp_path) is None
    heart.beat(0.5)
    assert read_beat(tmp_path) == Beat(os.getpid(), 1, 0.5)
    heart.beat(10.0)
    assert read_beat(tmp_path) == Beat(os.getpid(), 2, 10.0)
    heart.stop()
    heart.stop()
    assert read_beat(tmp_path) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "[]", "{", '{"pid": 1}', '{"pid": 1, "cycle": 2, "period_s": null}'])
def test_a_broken_beat_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    assert read_beat(tmp_path) is None


def test_a_full_disk_silences_the_heart_but_not_the_loop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Heartbeat(tmp_path / "absent").beat(0.5)
    assert "no heartbeat" in caplog.text


def test_our_own_process_lives_and_an_impossible_one_does_not() -> None:
    assert process_lives(os.getpid())
    assert process_lives(1)
    assert not process_lives(2**22 + 1)
