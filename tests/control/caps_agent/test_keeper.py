"""Caps are set, read back, ended and put back, on the stand-in for NVML."""

from pathlib import Path

import pytest
from tests.control.caps_agent.conftest import RULES, Boots, keeper
from tests.peers.nvml import Node

from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Success
from igoudar.control.caps_agent import book
from igoudar.control.caps_agent.asking import Asked
from igoudar.control.caps_agent.book import NAME
from igoudar.control.caps_agent.config import Rules
from igoudar.control.caps_agent.gpus import GpuError
from igoudar.core.errors import StoreError


def asked(
    limit_w: float = 700.0, gpu: str = "all", command: str = "c1", life_s: float = 600.0, **rest: int
) -> Asked:
    return Asked(gpu, command, limit_w, life_s, **rest)


def test_a_cap_is_set_on_all_gpus_and_read_back(node: Node, tmp_path: Path, clock: Boots) -> None:
    assert keeper(tmp_path, clock).set_cap(asked()) == Success(700.0)
    assert node.limits_w == [700.0, 700.0]


@pytest.mark.parametrize("gpu", ["1", "GPU-00000001"])
def test_one_gpu_by_index_or_uuid(node: Node, tmp_path: Path, clock: Boots, gpu: str) -> None:
    assert keeper(tmp_path, clock).set_cap(asked(gpu=gpu)) == Success(700.0)
    assert node.limits_w == [1200.0, 700.0]


def test_a_gpu_that_is_not_there_is_named(node: Node, tmp_path: Path, clock: Boots) -> None:
    assert keeper(tmp_path, clock).set_cap(asked(gpu="7")) == Rejected("unknown_gpu")


@pytest.mark.parametrize("limit_w", [499.0, 1101.0, 1e9])
def test_the_agents_own_range_is_never_passed(
    node: Node, tmp_path: Path, clock: Boots, limit_w: float
) -> None:
    assert keeper(tmp_path, clock).set_cap(asked(limit_w)) == OutOfBounds(500.0, 1100.0)
    assert node.limits_w == [1200.0, 1200.0]


def test_nvmls_own_constraints_are_narrower_still(node: Node, tmp_path: Path, clock: Boots) -> None:
    node.change(0, low=650_000, high=900_000)
    assert keeper(tmp_path, clock).set_cap(asked(600.0)) == OutOfBounds(650.0, 900.0)


def test_the_same_command_twice_is_done_once(node: Node, tmp_path: Path, clock: Boots) -> None:
    agent = keeper(tmp_path, clock)
    assert agent.set_cap(asked()) == Success(700.0)
    clock.advance(500)
    assert agent.set_cap(asked()) == Success(700.0)
    clock.advance(101)  # the first's life is over: the repeat did not make it longer
    agent.tick()
    assert node.limits_w == [1000.0, 1000.0]
    assert agent.set_cap(asked()) == Rejected("already_done")


def test_a_command_id_with_another_content_is_refused(node: Node, tmp_path: Path, clock: Boots) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked())
    assert agent.set_cap(asked(800.0)) == Rejected("command_id_reused")
    assert node.limits_w == [700.0, 700.0]


def test_an_older_controllers_epoch_is_refused_even_after_a_restart(
    node: Node, tmp_path: Path, clock: Boots
) -> None:
    keeper(tmp_path, clock).set_cap(asked(epoch=7))
    assert keeper(tmp_path, clock).set_cap(asked(command="c2", epoch=6)) == Rejected("stale_epoch")


def test_a_life_beyond_the_longest_is_refused(node: Node, tmp_path: Path, clock: Boots) -> None:
    assert keeper(tmp_path, clock).set_cap(asked(life_s=3601.0)) == Rejected("life_too_long")


def test_a_cap_ends_by_itself_at_the_sites_default(node: Node, tmp_path: Path, clock: Boots) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked(life_s=60.0))
    clock.advance(59)
    assert agent.tick() == pytest.approx(1.0)  # the next tick is at its end, not at the next look
    assert node.limits_w == [700.0, 700.0]
    clock.advance(1)
    agent.tick()
    assert node.limits_w == [1000.0, 1000.0]
    assert agent.book.caps == {}


def test_without_a_default_of_the_site_the_gpus_own_is_restored(
    node: Node, tmp_path: Path, clock: Boots
) -> None:
    agent = keeper(tmp_path, clock, Rules(500.0, 1200.0))
    agent.set_cap(asked(life_s=60.0))
    clock.advance(61)
    agent.tick()
    assert node.limits_w == [1200.0, 1200.0]


def test_a_start_pushes_nothing(node: Node, tmp_path: Path, clock: Boots) -> None:
    keeper(tmp_path, clock).tick()
    assert node.limits_w == [1200.0, 1200.0]


def test_a_restart_goes_on_with_the_same_end(node: Node, tmp_path: Path, clock: Boots) -> None:
    keeper(tmp_path, clock).set_cap(asked(life_s=60.0))
    clock.advance(50)
    again = keeper(tmp_path, clock)
    again.tick()
    assert node.limits_w == [700.0, 700.0]
    clock.advance(11)
    again.tick()
    assert node.limits_w == [1000.0, 1000.0]


def test_a_cap_that_ended_while_the_agent_was_away_is_released_at_the_start(
    node: Node, tmp_path: Path, clock: Boots
) -> None:
    keeper(tmp_path, clock).set_cap(asked(life_s=60.0))
    clock.advance(3600)
    keeper(tmp_path, clock).tick()
    assert node.limits_w == [1000.0, 1000.0]


def test_a_wall_clock_that_jumps_back_makes_no_cap_longer(node: Node, tmp_path: Path, clock: Boots) -> None:
    keeper(tmp_path, clock).set_cap(asked(life_s=600.0))
    clock.reboot(takes_s=-86_400.0)
    node.reboot()
    agent = keeper(tmp_path, clock)
    agent.tick()
    clock.advance(601)
    agent.tick()
    assert node.limits_w == [1000.0, 1000.0]


def test_a_gpu_that_refuses_is_an_error_and_is_promised_nothing(
    node: Node, tmp_path: Path, clock: Boots
) -> None:
    node.change(mode="refuse")
    agent = keeper(tmp_path, clock)
    result = agent.set_cap(asked())
    assert isinstance(result, Error)
    assert "Insufficient Permissions" in result.detail
    assert "CAP_SYS_ADMIN" in result.detail
    assert agent.book.caps == {}


def test_a_gpu_that_says_yes_and_does_nothing_is_an_error(node: Node, tmp_path: Path, clock: Boots) -> None:
    node.change(mode="ignore")
    result = keeper(tmp_path, clock).set_cap(asked())
    assert isinstance(result, Error)
    assert "reads back 1200 W instead of 700 W" in result.detail


def test_one_gpu_of_two_that_refuses_makes_it_partial(node: Node, tmp_path: Path, clock: Boots) -> None:
    node.change(1, mode="refuse")
    agent = keeper(tmp_path, clock)
    result = agent.set_cap(asked())
    assert isinstance(result, Partial)
    assert result.value == 700.0
    assert set(agent.book.caps) == {"GPU-00000000"}


def test_what_somebody_else_changed_is_set_again(node: Node, tmp_path: Path, clock: Boots) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked())
    node.change(0, limit=1_150_000)
    agent.tick()
    assert node.limits_w == [700.0, 700.0]
    assert agent.reapplied == 1


def test_a_gpu_that_does_not_take_it_any_more_is_not_hammered(
    node: Node, tmp_path: Path, clock: Boots
) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked())
    node.change(limit=1_200_000, mode="refuse")
    for _ in range(30):
        clock.advance(10)
        agent.tick()
    assert all(2 <= rest.failures <= 8 for rest in agent._rests.values())


def test_an_end_that_the_gpu_refuses_stays_due(node: Node, tmp_path: Path, clock: Boots) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked(life_s=60.0))
    node.change(mode="refuse")
    clock.advance(61)
    agent.tick()
    assert node.limits_w == [700.0, 700.0]
    node.change(mode="ok")
    clock.advance(400)
    agent.tick()
    assert node.limits_w == [1000.0, 1000.0]


def test_a_driver_that_is_reloaded_gets_the_cap_again(node: Node, tmp_path: Path, clock: Boots) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked())
    node.driver("gone")
    with pytest.raises(GpuError, match="Driver Not Loaded") as caught:
        agent.tick()
    assert caught.value.code == "driver_not_loaded"
    node.driver("ok")
    node.reboot()
    agent.tick()
    assert node.limits_w == [700.0, 700.0]


def test_a_clean_stop_gives_the_gpus_back_and_a_start_goes_on(
    node: Node, tmp_path: Path, clock: Boots
) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked())
    agent.release_all()
    assert node.limits_w == [1000.0, 1000.0]
    keeper(tmp_path, clock).tick()
    assert node.limits_w == [700.0, 700.0]


def test_nothing_is_promised_that_cannot_be_kept(node: Node, tmp_path: Path, clock: Boots) -> None:
    agent = keeper(tmp_path / "away", clock)
    (tmp_path / "away").rmdir()
    assert isinstance(agent.set_cap(asked()), Error)
    assert agent.book.caps == {}
    assert node.limits_w == [1200.0, 1200.0]


@pytest.mark.parametrize("mode", ["refuse", "ignore"])
def test_a_cap_that_is_refused_leaves_the_earlier_one_its_end(
    node: Node, tmp_path: Path, clock: Boots, mode: str
) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked(life_s=60.0))
    node.change(0, mode=mode)
    assert isinstance(agent.set_cap(asked(800.0, command="c2")), Partial)
    node.change(0, mode="ok")
    clock.advance(61)
    agent.tick()
    assert node.limits_w == [1000.0, 800.0]


def test_a_cap_that_cannot_be_kept_leaves_the_earlier_one_its_end(
    node: Node, tmp_path: Path, clock: Boots, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    agent = keeper(tmp_path, clock)
    agent.set_cap(asked(life_s=60.0))
    with monkeypatch.context() as disk:
        disk.setattr(book, "write_durably", full)
        assert isinstance(agent.set_cap(asked(800.0, command="c2")), Error)
    clock.advance(61)
    agent.tick()
    assert node.limits_w == [1000.0, 1000.0]


def test_a_gpu_that_is_lost_does_not_keep_the_others_capped(
    node: Node, tmp_path: Path, clock: Boots, caplog: pytest.LogCaptureFixture
) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked(life_s=60.0))
    node.change(0, mode="lost")
    clock.advance(61)
    agent.tick()
    agent.tick()
    assert node.limits_w == [700.0, 1000.0]
    assert caplog.text.count("GPU 0 is left out") == 1
    node.change(0, mode="ok")
    agent.tick()
    assert node.limits_w == [1000.0, 1000.0]


def test_a_clean_stop_releases_the_others_where_one_refuses(node: Node, tmp_path: Path, clock: Boots) -> None:
    agent = keeper(tmp_path, clock)
    agent.set_cap(asked())
    node.change(0, mode="refuse")
    with pytest.raises(GpuError, match="Insufficient Permissions"):
        agent.release_all()
    assert node.limits_w == [700.0, 1000.0]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"schema": 2}', b'{"schema": 1, "boot_id": 1, "caps": []}']
)
def test_a_book_that_cannot_be_read_is_named(tmp_path: Path, clock: Boots, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(StoreError, match="move this file aside"):
        keeper(tmp_path, clock, RULES)
