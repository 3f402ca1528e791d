"""Which registers are read together, and that a plan decodes exactly as the codec does."""

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors import codec, sunspec
from igoudar.collectors.blocks import address_of, compile_plan
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_reader import ModbusReader
from igoudar.collectors.modbus_wire import Tcp
from igoudar.collectors.profiles import load_profiles
from igoudar.core.model import Kind, ModbusAddress, ModbusRules, Point, Profile, Quality, Reason
from tests.peers import program

from .rigs import SCALE_FACTOR, image, pymodbus_server

PROFILES = load_profiles()
MODBUS = sorted(name for name, p in PROFILES.items() if p.protocol == "modbus")


def profile(registers: Sequence[int], **rules: object) -> Profile:
    points = {f"p{r}_w": Point(f"p{r}_w", ModbusAddress(r, "u16")) for r in registers}
    made = ModbusRules(**rules)  # type: ignore[arg-type]
    return Profile("p", Kind.METER, "modbus", ("p",), "s", "generic", points, modbus=made)


def blocks(registers: Sequence[int], **rules: object) -> list[tuple[int, int]]:
    p = profile(registers, **rules)
    return [(b.address, b.width) for b in compile_plan(p, {}, list(p.points.values())).blocks]


def test_lesson_10_reads_are_merged_up_to_the_fill_limit() -> None:
    assert blocks([10, 12, 30], max_fill=8) == [(10, 3), (30, 1)]
    assert blocks([10, 19], max_fill=8) == [(10, 10)]
    assert blocks([10, 20], max_fill=8) == [(10, 1), (20, 1)]


def test_lesson_10_never_across_a_hole() -> None:
    assert blocks([10, 14], max_fill=8, holes=((12, 12),)) == [(10, 1), (14, 1)]
    assert blocks([10, 14], max_fill=8, holes=((15, 20),)) == [(10, 5)]


def test_lesson_10_the_devices_own_maximum_is_kept() -> None:
    assert blocks(range(30), max_registers=10) == [(0, 10), (10, 10), (20, 10)]


@given(st.sets(st.integers(0, 400), min_size=1), st.integers(1, 125), st.integers(0, 20))
def test_lesson_10_every_point_is_in_one_block_and_no_block_breaks_a_rule(
    registers: set[int], most: int, fill: int
) -> None:
    made = blocks(sorted(registers), max_registers=most, max_fill=fill)
    covered = [r for start, width in made for r in range(start, start + width)]
    assert registers <= set(covered)
    assert len(covered) == len(set(covered))
    assert all(width <= most for _, width in made)


@pytest.mark.parametrize("name", MODBUS)
@given(data=st.data())
def test_a_plan_decodes_as_the_codec_does(name: str, data: st.DataObject) -> None:
    p = PROFILES[name]
    points = list(p.points.values())
    models = sunspec.locate(p)
    plan = compile_plan(p, models, points)
    payloads = [data.draw(st.binary(min_size=2 * b.width, max_size=2 * b.width)) for b in plan.blocks]
    values, flags = plan.decode(payloads)
    for point in points:
        raw, factor = pieces(point, models, list(zip(plan.blocks, payloads, strict=True)))
        value, quality, reason = codec.decode(point, raw, factor)
        assert values.get(point.name) == value
        assert flags.get(point.name, (Quality.GOOD, Reason.NONE)) == (quality, reason)


def pieces(point: Point, models: dict[int, int], answers: list) -> tuple[bytes, int | None]:  # type: ignore[type-arg]
    address = point.address
    assert isinstance(address, ModbusAddress)
    at = address_of(point, models)

    def cut(register: int, width: int) -> bytes:
        for block, payload in answers:
            start = 2 * (register - block.address)
            if block.function == address.function and 0 <= start <= 2 * (block.width - width):
                return bytes(payload[start : start + 2 * width])
        raise AssertionError

    if address.scale_factor is None:
        return cut(at, codec.width(point)), None
    factor = cut(at - address.register + address.scale_factor, 1)
    return cut(at, codec.width(point)), codec.scale_factor(factor)


def test_a_refused_block_costs_only_its_points() -> None:
    p = profile([1, 50])
    values, flags = compile_plan(p, {}, list(p.points.values())).decode([b"\0\5", Reason.EXCEPTION])
    assert values == {"p1_w": 5.0}
    assert flags == {"p50_w": (Quality.BAD, Reason.EXCEPTION)}


def some_values(p: Profile) -> dict[str, float]:
    """A plausible value for every point of a Modbus profile, of its own resolution."""
    return {point.name: some_value(point) for point in p.points.values()}


def some_value(point: Point) -> float:
    address = point.address
    assert isinstance(address, ModbusAddress)
    low, high = point.plausible or (0.0, 100.0)
    wanted = 1.0 if point.name.endswith(("_state", "_count")) else 12.0 * max(1.0, abs(address.scale))
    return wanted if low <= wanted <= high else low + 1.0


@pytest.mark.parametrize("name", MODBUS)
async def test_a_peers_server_is_read_to_the_value(name: str) -> None:
    p = PROFILES[name]
    wanted = some_values(p) | {"frequency_hz": 50.0, "power_factor_ratio": 1.0, "pressure_kpa": 101.0}
    wanted = {k: v for k, v in wanted.items() if k in p.points}
    wanted |= {k: 41.0 for k in wanted if k == "setpoint_c"} if name == "generic-cdu" else {}
    words = image(p, wanted, 3) | image(p, wanted, 4)
    async with pymodbus_server({7: words}) as port:
        link = ModbusLink(Tcp("127.0.0.1", port), p.modbus)
        values, flags, _ = await ModbusReader(p, link, 7).read(slow=True)
        link.release()
    assert not flags
    assert values == pytest.approx(wanted, rel=1e-6)


async def test_a_write_is_read_back() -> None:
    p = PROFILES["sunspec-inverter"]
    words = image(p, some_values(p) | {"frequency_hz": 50.0})
    async with pymodbus_server({1: words}) as port:
        link = ModbusLink(Tcp("127.0.0.1", port), p.modbus)
        reader = ModbusReader(p, link, 1)
        assert await reader.write(p.points["limit_pct"], 55.5, lambda: None) == 55.5
        assert await reader.ask(p.points["limit_pct"]) == 55.5
        assert (await reader.read(slow=False)).values["limit_pct"] == 55.5
        link.release()


@pytest.mark.peer("mbpoll")
async def test_mbpoll_reads_what_we_encode(tmp_path: Path) -> None:
    mbpoll = program("mbpoll")
    p = PROFILES["schneider-iem3000"]
    words = image(p, {"frequency_hz": 50.25, "active_power_w": 123_500.0, "active_energy_import_wh": 5.0})
    async with pymodbus_server({3: words}) as port:
        base = [mbpoll, "-m", "tcp", "-a", "3", "-p", str(port), "-t", "4:float", "-B", "-0", "-1", "-c", "1"]
        for register, value in ((3109, "50.25"), (3059, "123.5")):
            out = await asyncio.to_thread(
                subprocess.run,
                [*base, "-r", str(register), "127.0.0.1"],
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            )
            assert f"[{register}]: \t{value}" in out.stdout


def test_pysunspec2_decodes_what_we_encode() -> None:
    from sunspec2.modbus.client import SunSpecModbusClientModel

    p = PROFILES["sunspec-inverter"]
    wanted = {
        "active_power_w": 1234.5,
        "frequency_hz": 50.1,
        "energy_wh": 98765.4,
        "cabinet_temperature_c": -5.5,
    }
    words, start = image(p, wanted), sunspec.locate(p)[103]
    data = b"".join(words.get(a, 0x8000).to_bytes(2) for a in range(start, start + 52))
    model = SunSpecModbusClientModel(model_id=103, model_addr=start, model_len=50, data=data)
    read = {name: getattr(model, name).cvalue for name in ("W", "Hz", "WH", "TmpCab", "A")}
    assert read == {"W": 1234.5, "Hz": 50.1, "WH": 98765.4, "TmpCab": -5.5, "A": None}
    assert SCALE_FACTOR == -1
