"""Every bundled profile: it loads, it is honest, and what it encodes it decodes, at the edges too."""

import json
import math
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igoudar.collectors import codec, sunspec
from igoudar.collectors.profiles import load_profile, load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model import ModbusAddress, Point, Profile

PROFILES = load_profiles()
MODBUS = [
    (p.name, point.name) for p in PROFILES.values() if p.protocol == "modbus" for point in p.points.values()
]
SUNSPEC = [name for name, p in PROFILES.items() if p.modbus.sunspec_models]


def bounds(point: Point, form: codec.Shape) -> tuple[float, float]:
    """The values that the point can hold on the wire and that its profile finds plausible."""
    address = point.address
    assert isinstance(address, ModbusAddress)
    largest = 1e300 if form.format in "fd" else 2**53  # a float holds every integer up to there
    edges = max(form.low, -largest), min(form.high, largest)
    ends = sorted(raw * address.scale + address.offset for raw in edges)
    low, high = point.plausible or (-math.inf, math.inf)
    return max(ends[0], low), min(ends[1], high)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_profile_says_where_it_comes_from(name: str) -> None:
    profile = PROFILES[name]
    assert profile.source
    assert profile.products
    assert profile.points
    assert profile.verified != "hardware"  # nothing here was


@pytest.mark.parametrize(("profile", "name"), MODBUS, ids=str)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_what_a_profile_encodes_it_decodes(profile: str, name: str, data: st.DataObject) -> None:
    point = PROFILES[profile].points[name]
    address = point.address
    assert isinstance(address, ModbusAddress)
    form = codec.shape(address)
    low, high = bounds(point, form)
    value = data.draw(st.one_of(st.just(low), st.just(high), st.floats(low, high)))
    wire = codec.encode(point, value, 0)
    assert len(wire) == 2 * codec.width(point)
    if form.sentinels == {0} and round(value) == 0:
        return  # an accumulator's 0 means "not accumulated"
    back, *_ = codec.decode(point, wire, 0)
    step = abs(address.scale) * (1e-6 if form.format in "fd" else 0.5 + 1e-6)
    assert back == pytest.approx(value, rel=1e-6, abs=step)
    assert codec.decode(point, codec.encode(point, None, 0), 0)[0] is None or not form.sentinels


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_registers_do_not_overlap(name: str) -> None:
    taken: dict[tuple[int, int, int], str] = {}
    for point in PROFILES[name].points.values():
        if isinstance(address := point.address, ModbusAddress):
            for register in range(address.register, address.register + codec.width(point)):
                key = (address.function, address.model, register)
                assert taken.setdefault(key, point.name) == point.name


@pytest.mark.parametrize("name", SUNSPEC)
def test_sunspec_offsets_are_those_of_the_models(name: str) -> None:
    profile = PROFILES[name]
    for model, length in profile.modbus.sunspec_models:
        layout = model_layout(model)
        assert length == max(o for o, *_ in layout.values()) + layout_tail(layout) - 2
    for point in profile.points.values():
        check_against_model(profile, point)


def check_against_model(profile: Profile, point: Point) -> None:
    address = point.address
    assert isinstance(address, ModbusAddress)
    layout = model_layout(address.model)
    found = [(key, entry) for key, entry in layout.items() if entry[0] == address.register]
    assert found, f"{profile.name} {point.name}: nothing starts at {address.register}"
    _, (_, type_, sf, _, access) = found[0]
    short = {"float32": "f32", "count": "u16"}.get(type_) or re.sub("^u?int", lambda m: m[0][0], type_)
    assert short == address.type
    if isinstance(sf, str):
        assert address.scale_factor == layout[sf][0]
    elif isinstance(sf, int):
        assert address.scale == pytest.approx(10.0**sf) or profile.name == "sunspec-weather"
    else:
        assert address.scale_factor is None
    assert point.writable is None or access == "RW"


def model_layout(model: int) -> dict[str, tuple[int, str, Any, int, str]]:
    """Point -> offset, type, scale factor, size, access; one instance of repeating groups."""
    text = files("sunspec2").joinpath(f"models/json/model_{model}.json").read_text()
    layout: dict[str, tuple[int, str, Any, int, str]] = {}
    offset = 0

    def walk(group: dict[str, Any]) -> None:
        nonlocal offset
        for p in group["points"]:
            name = f"{group['name']}.{p['name']}" if p["name"] in layout else p["name"]
            layout[name] = (offset, p["type"], p.get("sf"), p["size"], p.get("access", "R"))
            offset += p["size"]
        for sub in group.get("groups", []):
            walk(sub)

    walk(json.loads(text)["group"])
    return layout


def layout_tail(layout: dict[str, tuple[int, str, Any, int, str]]) -> int:
    return max(layout.values(), key=lambda entry: entry[0])[3]


def test_sunspec_models_follow_each_other() -> None:
    assert sunspec.locate(PROFILES["sunspec-inverter"]) == {1: 40002, 103: 40070, 123: 40122}
    frame = sunspec.frame(PROFILES["sunspec-inverter"])
    assert frame[40000] == b"SunS"
    assert frame[40070] == bytes((0, 103, 0, 50))
    assert frame[40148] == b"\xff\xff\0\0"


GOOD = """
profile = "p"
kind = "meter"
source = "here"
verified = "generic"
[points]
active_power_w = { register = 1, type = "f32" }
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("verified", "verifed", ("verifed", "verified")),
        ("type =", "typ =", ("typ", "type", "active_power_w")),
        ("active_power_w", "active_power_kw", ("active_power_kw", "_w")),
        ('"f32"', '"f33"', ("f33", "f32")),
        ('"meter"', '"meters"', ("meters", "meter")),
        ("register = 1", "register = 65535", ("65535",)),
        ("register = 1,", "", ("register",)),
        ('"f32" }', '"f32", plausible = [2, 1] }', ("plausible",)),
        ('"f32" }', '"f32", writable = { min = 0, max = 1, enable = "x_state" } }', ("x_state",)),
        ('"f32" }', '"f32", model = 103, offset = 2 }', ("103",)),
        ('"f32" }', '"f32", frozen_s = -1 }', ("frozen_s", "-1", "positive")),
        ('"f32" }', '"f32", frozen = 1 }', ("frozen", "frozen_s")),
        ("[points]", '[quality]\nwitnesses = ["active_power"]\n[points]', ("active_power", "active_power_w")),
        ("[points]", '[quality]\nclock = "time_s"\n[points]', ("time_s", "[quality]")),
        ("[points]", "[points", ("TOML",)),
    ],
)
def test_a_mistake_is_named_with_the_nearest_known_key(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    path = tmp_path / "p.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_profile(path)
    for word in (*words, "p.toml"):
        assert word in str(error.value)


def test_a_folder_of_own_profiles_adds_to_the_bundled_ones(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(GOOD)
    assert set(load_profiles(tmp_path)) == {*PROFILES, "p"}
