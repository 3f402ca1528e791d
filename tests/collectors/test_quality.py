"""What only the past can tell of a value, on a device's memory alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.quality import FROZEN, Memory, watches
from igoudar.collectors.readers import Values
from igoudar.core.model import Kind, ModbusAddress, Point, Profile, Quality, Reason

from .rigs import START

PROFILES = load_profiles()
STEP = (Quality.BAD, Reason.STEP)


def profile(*points: Point, **rest: object) -> Profile:
    named = {point.name: point for point in points}
    return Profile("p", Kind.CDU, "modbus", ("p",), "s", "generic", named, **rest)  # type: ignore[arg-type]


def point(name: str, **rest: object) -> Point:
    return Point(name, ModbusAddress(0, "f32"), **rest)  # type: ignore[arg-type]


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def judged(memory: Memory, second: float, **values: float) -> Values:
    return memory.judge(Values(values, {}), at(second))


def test_a_device_without_rules_costs_nothing() -> None:
    memory, answer = Memory(PROFILES["xerus-pdu"]), Values({"voltage_v": 230.0}, {})
    assert watches(PROFILES["xerus-pdu"]) == ()
    assert memory.judge(answer, at(0)) is answer


def test_a_spike_is_held_back_and_a_real_step_costs_one_reading() -> None:
    memory = Memory(profile(point("supply_c", max_step_per_s=0.5)))
    values = [30.0, 31.0, 85.0, 31.0, 55.0, 55.5, 56.0]
    answers = [judged(memory, 5 * i, supply_c=value) for i, value in enumerate(values)]
    assert [dict(a.values).get("supply_c") for a in answers] == [30, 31, None, 31, None, 55.5, 56]
    assert [a.flags.get("supply_c") for a in answers] == [None, None, STEP, None, STEP, None, None]


def test_a_value_that_must_move_and_does_not_is_frozen() -> None:
    memory = Memory(profile(point("flow_lpm", frozen_s=600), point("leak_state")))
    answers = [judged(memory, s, flow_lpm=12.5, leak_state=0) for s in range(0, 700, 10)]
    assert [bool(a.flags) for a in answers] == [False] * 60 + [True] * 10
    assert answers[-1].flags == {"flow_lpm": FROZEN}
    assert not judged(memory, 700, flow_lpm=12.6, leak_state=0).flags


def test_silence_is_not_standing_still() -> None:
    memory = Memory(profile(point("flow_lpm", frozen_s=60)))
    judged(memory, 0, flow_lpm=1.0)
    memory.silence()
    assert not judged(memory, 500, flow_lpm=1.0).flags
    assert not judged(memory, 550, flow_lpm=1.0).flags
    assert judged(memory, 560, flow_lpm=1.0).flags == {"flow_lpm": FROZEN}


def test_when_all_witnesses_stand_still_the_whole_device_is_frozen() -> None:
    names = ("voltage_l1_v", "voltage_l2_v", "current_l1_a")
    memory = Memory(PROFILES["janitza-umg96rm-e"])
    shown = dict.fromkeys((*names, "active_power_w"), 1.0)
    assert not judged(memory, 0, **shown).flags
    assert not judged(memory, 590, **shown).flags
    assert judged(memory, 600, **shown).flags == dict.fromkeys(shown, FROZEN)
    assert not judged(memory, 605, **(shown | {"voltage_l2_v": 1.1})).flags


def test_a_witness_that_gives_nothing_proves_nothing() -> None:
    memory = Memory(profile(point("a_v"), point("b_w"), frozen_s=10.0, witnesses=("a_v",)))
    assert not any(judged(memory, s, b_w=1.0).flags for s in range(0, 100, 5))


def test_what_the_link_said_of_a_value_stays() -> None:
    late = {"a_v": (Quality.UNCERTAIN, Reason.AFTER_RECONNECT)}
    memory = Memory(profile(point("a_v"), frozen_s=10.0, witnesses=("a_v",)))
    memory.judge(Values({"a_v": 1.0}, late), at(0))
    assert memory.judge(Values({"a_v": 1.0}, late), at(20)).flags == late


@pytest.mark.parametrize("name", sorted(PROFILES))
@settings(max_examples=20, deadline=None)
@given(rounds=st.lists(st.tuples(st.floats(0, 1e4), st.floats(-1e15, 1e15)), max_size=8))
def test_any_past_gives_values_and_qualities_that_agree(name: str, rounds: list[tuple[float, float]]) -> None:
    memory, points = Memory(PROFILES[name]), PROFILES[name].points
    now = 0.0
    for after_s, raw in rounds:
        now += after_s
        values = {n: min(max(raw, p.plausible[0]), p.plausible[1]) for n, p in points.items() if p.plausible}
        answer = memory.judge(Values(values, {}), at(now))
        assert consistent(values, answer)


def consistent(asked: Mapping[str, float], answer: Values) -> bool:
    bad = {name for name, (quality, _) in answer.flags.items() if quality is Quality.BAD}
    kept = dict(answer.values)
    return set(kept) == set(asked) - bad and all(asked[name] == value for name, value in kept.items())
