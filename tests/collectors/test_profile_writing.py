"""What a profile or a site says wrongly of writing is named with what to do."""

from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profile, load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model_writes import Interlock, Remote
from igoudar.core.site import load_site

PROFILES = load_profiles()

GOOD = """
profile = "p"
kind = "battery"
source = "here"
verified = "generic"
[control]
local = "local_state"
heartbeat = "beat_count"
[[interlocks]]
point = "setpoint_w"
above = 0
needs = "soc_pct"
min = 10
[points]
soc_pct = { register = 1, type = "u16" }
local_state = { register = 2, type = "u16" }
beat_count = { register = 3, type = "u16", writable = { min = 0, max = 9 } }
mode_state = { register = 4, type = "u16", writable = { min = 0, max = 9 } }
setpoint_w = { register = 5, type = "i32", writable = { min = -9, max = 9, prepare = { mode_state = 1 } } }
"""

SITE = """
name = "small"
title = "Small"
[place]
latitude_deg = 23.7
longitude_deg = -15.9
time_zone = "Africa/El_Aaiun"
[cooling]
[writes]
settle = "10 s"
[[interlocks]]
device = "chiller"
point = "enable_state"
above = 0
needs_device = "plant"
needs = "flow_lpm"
min = 100
[[devices]]
name = "plant"
profile = "generic-cooling-plant"
address = "opc.tcp://10.0.0.1:4840/plant"
subject = "cooling"
[[devices]]
name = "chiller"
profile = "daikin-microtech-iii"
address = "modbus-tcp://10.0.0.2:502/1"
subject = "cooling"
"""


def profile_of(folder: Path, text: str) -> object:
    path = folder / "p.toml"
    path.write_text(text)
    return load_profile(path)


def test_a_profile_says_how_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(GOOD)
    profile = load_profile(path)
    assert profile.remote == Remote("local_state", 1.0, "beat_count")
    assert profile.interlocks == (Interlock("setpoint_w", "soc_pct", minimum=10.0, above=0.0),)
    rules = profile.points["setpoint_w"].writable
    assert rules is not None
    assert rules.companions == ("mode_state",)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("heartbeat =", "hearbeat =", ("hearbeat", "heartbeat")),
        ('heartbeat = "beat_count"', 'heartbeat = "soc_pct"', ("soc_pct", "not a writable point")),
        ('local = "local_state"', 'local = "locl_state"', ("locl_state", "local_state")),
        ("min = 10\n", "", ("without bounds", "[[interlocks]] 1")),
        ('needs = "soc_pct"', 'needs = "soc"', ("soc", "not a point")),
        ("above = 0", "abve = 0", ("abve", "above")),
        ("prepare = { mode_state", "prepare = { soc_pct", ("soc_pct", "not a writable point")),
        ("prepare =", "prepar =", ("prepar", "prepare")),
        ("max = 9, prepare", "max = 9, factory = 10, prepare", ("factory", "outside")),
        ("max = 9, prepare", "max = 9, every_s = -1, prepare", ("every_s", "-1")),
    ],
)
def test_a_mistake_in_a_profile_is_named(tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as error:
        profile_of(tmp_path, GOOD.replace(old, new, 1))
    for word in (*words, "p.toml"):
        assert word in str(error.value)


def test_a_site_has_interlocks_across_devices(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SITE)
    site = load_site(str(path), PROFILES)
    assert site.writes.settle_s == 10.0
    (lock,) = site.interlocks
    assert (lock.device, lock.needs_device, lock.minimum) == ("chiller", "plant", 100.0)
    assert lock.guards("chiller", "enable_state", 1.0)
    assert not lock.guards("chiller", "enable_state", 0.0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('device = "chiller"', 'device = "chiler"', ("'chiler'", "'chiller'", "interlocks[1].device")),
        ('point = "enable_state"', 'point = "enabled_state"', ("no point", "'enable_state'")),
        ('needs_device = "plant"', 'needs_device = "plan"', ("plan", "needs_device")),
        ("min = 100\n", "", ("without bounds", "min")),
        ('settle = "10 s"', "settle = 10", ("settle",)),
    ],
)
def test_a_mistake_in_a_site_is_named(tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SITE.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_site(str(path), PROFILES)
    for word in words:
        assert word in str(error.value)
