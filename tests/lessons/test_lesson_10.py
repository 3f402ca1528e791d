"""Lesson 10: maps with holes, known and unknown; the device's own maximum; factors with their values."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igoudar.collectors.blocks import compile_plan
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_reader import ModbusReader
from igoudar.collectors.modbus_wire import Tcp
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.spans import Learned, Span
from igoudar.collectors.sunspec import locate
from igoudar.core.model import Kind, ModbusAddress, ModbusRules, Point, Profile, Quality, Reason
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import run_virtually

from .polling import polling, product, registers

LOST = (Quality.BAD, Reason.EXCEPTION)
SUNSPEC = sorted(name for name, p in load_profiles().items() if p.modbus.sunspec_models)


def test_lesson_10_only_the_registers_that_are_not_there_are_lost_and_that_is_remembered() -> None:
    async def go() -> None:
        held = {register: register for register in range(20) if register != 7}
        async with hostile(registers(held)) as server, polling(product(range(20)), server.port) as polled:
            await asyncio.sleep(4)
            searching = server.requests
            await asyncio.sleep(50)
            for reading in polled.of("u1"):
                assert reading.values == {f"r{r}_w": float(r) for r in held}
                assert reading.flags == {"r7_w": LOST}
            assert searching <= 14  # 1 refused, about 2 log2(20) to find it, the new plan
            assert server.requests - searching == 2 * (len(polled.of("u1")) - 1)

    run_virtually(go(), sockets=True)


def test_lesson_10_a_hole_between_points_is_found_and_not_read_across_again() -> None:
    async def go() -> None:
        held = {register: 7 for register in range(12) if register not in (4, 5)}
        async with (
            hostile(registers(held)) as server,
            polling(product([0, 3, 6, 9]), server.port) as polled,
        ):
            await asyncio.sleep(50)
            assert all(not reading.flags for reading in polled.of("u1"))
            last = [(address, count) for at, _, address, count in server.asked if at > 10]
        assert set(last) == {(0, 4), (6, 4)}

    run_virtually(go(), sockets=True)


def test_lesson_10_a_device_that_takes_fewer_registers_than_its_profile_says() -> None:
    async def go() -> None:
        async def short(asked: Asked, writer: asyncio.StreamWriter) -> None:
            writer.write(asked.right() if asked.count <= 10 else asked.frame(b"\x83\x03"))

        async with hostile(short) as server, polling(product(range(40)), server.port) as polled:
            await asyncio.sleep(20)
        assert all(len(reading.values) == 40 and not reading.flags for reading in polled.of("u1"))

    run_virtually(go(), sockets=True)


def test_lesson_10_what_was_refused_is_tried_again_after_a_while() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()

        async def learns(asked: Asked, writer: asyncio.StreamWriter) -> None:
            await registers({r: 7 for r in range(4) if r != 2 or loop.time() > 100})(asked, writer)

        async with hostile(learns) as server, polling(product(range(4)), server.port) as polled:
            await asyncio.sleep(400)
            assert server.requests < 2 * len(polled.of("u1")) + 40
        assert polled.of("u1")[0].flags == {"r2_w": LOST}
        assert not polled.of("u1")[-1].flags

    run_virtually(go(), sockets=True)


def test_lesson_10_a_device_that_refuses_everything_while_it_starts_is_not_written_off() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()

        async def starts(asked: Asked, writer: asyncio.StreamWriter) -> None:
            await registers(dict.fromkeys(range(4), 7) if loop.time() > 30 else {})(asked, writer)

        async with hostile(starts) as server, polling(product(range(4)), server.port) as polled:
            await asyncio.sleep(60)
        good = [at for at, reading in polled.readings if reading.values]
        assert good[0] < 36
        assert all(reading.gap or len(reading.values) == 4 for reading in polled.of("u1"))

    run_virtually(go(), sockets=True)


@settings(max_examples=25, deadline=None)
@given(wanted=st.sets(st.integers(0, 60), min_size=1, max_size=25), missing=st.sets(st.integers(0, 60)))
def test_lesson_10_whatever_is_missing_everything_else_is_read(wanted: set[int], missing: set[int]) -> None:
    held = {register: register + 1 for register in range(61) if register not in missing}

    async def go() -> None:
        profile = product(wanted, max_registers=30)
        async with hostile(registers(held)) as server:
            link = ModbusLink(Tcp("127.0.0.1", server.port), profile.modbus)
            reader = ModbusReader(profile, link, 1)
            try:
                values, flags, _ = await reader.read(slow=True)
            finally:
                link.release()
        assert values == {f"r{r}_w": r + 1.0 for r in wanted & set(held)}
        assert flags == {f"r{r}_w": LOST for r in wanted - set(held)}

    if wanted & set(held):
        run_virtually(go(), sockets=True)


@pytest.mark.parametrize("name", SUNSPEC)
def test_lesson_10_a_scale_factor_comes_in_one_request_with_its_value(name: str) -> None:
    profile = load_profiles()[name]
    plan = compile_plan(profile, locate(profile), list(profile.points.values()))
    for field in plan.fields:
        assert field.factor is None or field.factor[0] == field.block
        assert field.again is None
    assert all(block.width <= profile.modbus.max_registers for block in plan.blocks)


def far(**rules: object) -> Profile:
    address = ModbusAddress(0, "u16", scale_factor=200)
    points = {"power_w": Point("power_w", address), "r1_w": Point("r1_w", ModbusAddress(1, "u16"))}
    made = ModbusRules(**rules)  # type: ignore[arg-type]
    return Profile("far", Kind.METER, "modbus", ("p",), "test", "generic", points, modbus=made)


def test_lesson_10_a_factor_out_of_reach_is_read_before_and_after_its_value() -> None:
    profile = far()
    plan = compile_plan(profile, {}, list(profile.points.values()))
    assert [(b.address, b.width) for b in plan.blocks] == [(200, 1), (0, 2), (200, 1)]
    assert plan.decode([b"\0\1", b"\0\7\0\5", b"\0\1"]) == ({"power_w": 70.0, "r1_w": 5.0}, {})


def test_lesson_10_a_factor_that_changes_meanwhile_makes_no_number() -> None:
    profile = far()
    plan = compile_plan(profile, {}, list(profile.points.values()))
    values, flags = plan.decode([b"\0\1", b"\0\7\0\5", b"\0\2"])
    assert values == {"r1_w": 5.0}
    assert flags == {"power_w": (Quality.BAD, Reason.SCALE_FACTOR)}


def test_lesson_10_a_factor_that_is_refused_costs_its_values_only() -> None:
    profile = far()
    learned = Learned(lost=frozenset({Span(3, 200, 1)}))
    plan = compile_plan(profile, {}, list(profile.points.values()), learned)
    assert [(b.address, b.width) for b in plan.blocks] == [(1, 1)]
    assert plan.decode([b"\0\5"]) == ({"r1_w": 5.0}, {"power_w": LOST})


async def test_lesson_10_bits_and_input_registers_are_asked_for_apart() -> None:
    points = {
        "a_state": Point("a_state", ModbusAddress(3, "u16", function=1)),
        "b_state": Point("b_state", ModbusAddress(14, "u16", function=1)),
        "c_state": Point("c_state", ModbusAddress(3, "u16", function=2)),
        "d_w": Point("d_w", ModbusAddress(3, "u16", function=4)),
    }
    rules = ModbusRules(max_fill=16)
    profile = Profile("bits", Kind.METER, "modbus", ("p",), "test", "generic", points, modbus=rules)

    async def bits(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.function == 4:
            writer.write(asked.right())
        else:
            packed = bytes((asked.function, (asked.count + 7) // 8))
            writer.write(asked.frame(packed + (b"\x01\x08" if asked.function == 1 else b"\0")))

    async with hostile(bits) as server:
        link = ModbusLink(Tcp("127.0.0.1", server.port), rules)
        values, flags, _ = await ModbusReader(profile, link, 1).read(slow=True)
        link.release()
    assert values == {"a_state": 1.0, "b_state": 1.0, "c_state": 0.0, "d_w": 7.0}
    assert not flags
