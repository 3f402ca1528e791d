"""Observe is the default; writing needs an explicit change of mode; a class is never bolder than its site."""

from pathlib import Path
from typing import Any

import pytest

from igoudar.collectors.endpoints import Endpoints
from igoudar.collectors.results import Rejected, Success
from igoudar.control.mode import Modes, class_word
from igoudar.control.records.state import Records
from igoudar.core.errors import CommandError

from .wishes import rate, settle, submit, turn


async def test_line_01_in_observe_nothing_is_sent_and_each_wish_is_recorded_once(
    rig: Any, plant: Any, cluster: Any
) -> None:
    loop, rooms = rig
    loop.modes.change("observe", "ada", "test", plant.clock.now())
    cluster.add("job-1")
    await settle(loop, plant)
    (outcome,) = await submit(loop, rate(plant.clock.now()))
    await submit(loop, rate(plant.clock.now(), command_id="again"))
    await turn(loop, plant, 3)
    assert outcome.result == Rejected("observe")
    assert (plant.writes, cluster.calls) == ([], [])
    said = [(row.target, row.result) for row in rooms.records.actions()]
    assert sorted(said) == [("battery-1", "observed"), ("job-1", "observed")]


async def test_line_01_only_an_explicit_change_lets_a_command_through(rig: Any, plant: Any) -> None:
    loop, _ = rig
    loop.modes.change("observe", "ada", "test", plant.clock.now())
    await settle(loop, plant)
    assert (await submit(loop, rate(plant.clock.now())))[0].result == Rejected("observe")
    loop.modes.change("auto", "ada", "drill", plant.clock.now())
    (outcome,) = await submit(loop, rate(plant.clock.now(), command_id="later"))
    assert outcome.result == Success(40.0)
    assert plant.writes[0].value == 40.0


async def test_line_01_a_class_may_be_calmer_than_its_site_never_bolder(rig: Any, plant: Any) -> None:
    loop, _ = rig
    now = plant.clock.now()
    loop.modes.change_class(class_word("battery"), "advise", "ada", now)
    assert loop.modes.classes() == {**dict.fromkeys(loop.modes.classes(), "auto"), "battery": "advise"}
    loop.modes.change("observe", "ada", "test", now)
    loop.modes.change_class(class_word("battery"), "auto", "ada", now)
    assert set(loop.modes.classes().values()) == {"observe"}


async def test_line_01_the_collector_is_told_the_modes_each_cycle(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await turn(loop, plant, 2)
    first, second = plant.authorities[-2:]
    assert (first.modes["battery"], second.cycle - first.cycle) == ("auto", 1)
    assert first.epoch > 0
    loop.modes.change("observe", "ada", "test", plant.clock.now())
    await turn(loop, plant)
    assert set(plant.authorities[-1].modes.values()) == {"observe"}


def test_line_01_a_run_that_may_only_observe_refuses_every_other_mode(tmp_path: Path, clock: Any) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    modes = Modes(records, "auto", "not our own simulators", clock.now(), "run")
    assert modes.mode == "observe"
    with pytest.raises(CommandError, match="only observes"):
        modes.change("auto", "ada", "please", clock.now())
    with pytest.raises(CommandError, match="only observes"):
        modes.change_class(class_word("battery"), "advise", "ada", clock.now())
    records.close()


def test_line_01_a_restarted_part_keeps_what_a_person_set_a_new_run_does_not(
    tmp_path: Path, clock: Any
) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    modes = Modes(records, "auto", None, clock.now(), "run-1", {"cooling": "advise"})
    modes.change_class(class_word("battery"), "observe", "ada", clock.now())
    again = Modes(records, "auto", None, clock.now(), "run-1", {"cooling": "advise"})
    assert (again.of("battery"), again.of("cooling"), again.of("jobs")) == ("observe", "advise", "auto")
    anew = Modes(records, "observe", None, clock.now(), "run-2")
    assert set(anew.classes().values()) == {"observe"}
    records.close()


@pytest.mark.parametrize(
    ("run_id", "simulated", "address", "ours"),
    [
        ("run", True, "modbus-tcp://127.0.0.1:1502/1", True),
        ("another", True, "modbus-tcp://127.0.0.1:1502/1", False),
        ("", True, "modbus-tcp://127.0.0.1:1502/1", False),
        ("run", False, "modbus-tcp://127.0.0.1:1502/1", False),
        ("run", True, "modbus-tcp://10.20.2.21:502/1", False),
    ],
)
def test_line_01_only_simulators_that_this_very_run_opened_make_a_run_start_in_auto(
    run_id: str, simulated: bool, address: str, ours: bool
) -> None:
    endpoints = Endpoints("run", {"battery-1": address}, simulated, "http://127.0.0.1:1")
    assert endpoints.all_opened_by(run_id) is ours
