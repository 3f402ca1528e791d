"""Faults by name."""

import pytest

from igoudar.core.errors import ConfigError
from igoudar.simulators.faults import Fault, FaultBoard, FaultKind


@pytest.mark.parametrize("text", ["dead", "busy", "garbage", "wrong_unit", "slow:2.5", "late:9"])
def test_a_fault_reads_back_as_written(text: str) -> None:
    assert str(Fault.parse(text)) == text


def test_slow_and_late_have_delays_of_their_own() -> None:
    assert 0 < Fault.parse("slow").delay_s < Fault.parse("late").delay_s


def test_a_table_of_faults_can_be_loaded_and_cleared() -> None:
    board = FaultBoard({"a": 0, "b": 0})
    board.load({"a": "dead", "b": "slow:2"})
    board.set("a", None)
    assert board.of("a") is None
    assert board.of("b") == Fault(FaultKind.SLOW, 2.0)
    assert board.active() == {"b": "slow:2"}


@pytest.mark.parametrize(("device", "fault"), [("zz", "dead"), ("a", "sleepy"), ("a", "slow:soon")])
def test_unknown_devices_and_faults_are_named(device: str, fault: str) -> None:
    with pytest.raises(ConfigError):
        FaultBoard({"a": 0}).set(device, fault)
