"""`[plan]` of a site file."""

from importlib.resources import files
from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model_plan import Planning, WarmerSupply
from igoudar.core.site import load_site


def site_of(tmp_path: Path, plan: str) -> Planning:
    file = tmp_path / "small.toml"
    file.write_text((files("igoudar.seeds") / "jazari-lab.toml").read_text() + plan)
    return load_site(str(file), load_profiles()).plan


def test_left_out_the_plan_keeps_nothing_and_touches_nothing(tmp_path: Path) -> None:
    assert site_of(tmp_path, "") == Planning(0.0, 0.0, caps=False, pauses=False)


def test_what_the_site_says_is_read_with_its_units(tmp_path: Path) -> None:
    found = site_of(
        tmp_path, '\n[plan]\nreserve = "500 kW"\nreserve_share = 0.5\ncaps = true\npauses = true\n'
    )
    assert found == Planning(500e3, 0.5, caps=True, pauses=True)


def test_a_supply_that_may_be_warmer_is_read_with_the_labs_figures(tmp_path: Path) -> None:
    assert site_of(tmp_path, "").cooling is None
    found = site_of(tmp_path, "\n[plan.cooling]\nsetpoint_c = 19.0\nmost_c = 22.0\n").cooling
    assert found == WarmerSupply(19.0, 22.0, "chiller", 0.0058, 1.03, 20.0)
    assert found.warmer_k == 3.0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("setpoint_c = 19.0", "most_c"),
        ("setpoint_c = 19.0\nmost_c = 19.0", "most_c"),
        ("setpoint_c = 19.0\nmost_c = 22.0\nramp_k_per_h = 2.0", "2 K at most"),
        ('setpoint_c = 19.0\nmost_c = 22.0\nkind = "dry_cooler"', "kind"),
        ("setpoint_c = 19.0\nmost_c = 22.0\npue_per_k = 0.0", "pue_per_k"),
        ("setpoint_c = 19.0\nmost_c = 26.0\n[guard]\ntape = true", "5 K at most"),
    ],
)
def test_an_envelope_that_can_not_be_meant_is_refused(tmp_path: Path, wrong: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        site_of(tmp_path, f"\n[plan.cooling]\n{wrong}\n")


def test_a_setpoint_that_no_device_lets_be_written_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    text = (files("igoudar.seeds") / "jazari-lab.toml").read_text()
    kept = text.replace('"setpoint_c", "demand_limit_pct"', '"demand_limit_pct"')
    file.write_text(kept + "\n[plan.cooling]\nsetpoint_c = 19.0\nmost_c = 22.0\n")
    with pytest.raises(ConfigError, match="no chiller allows"):
        load_site(str(file), load_profiles())


@pytest.mark.parametrize(
    "wrong", ["reserve = 5", "reserve_share = -0.1", "resrve_share = 0.1", 'caps = "yes"']
)
def test_what_can_not_be_meant_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match="plan"):
        site_of(tmp_path, f"\n[plan]\n{wrong}\n")
