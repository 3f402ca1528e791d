"""`[plan]` of a site file."""

from importlib.resources import files
from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model_plan import Planning
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


@pytest.mark.parametrize(
    "wrong", ["reserve = 5", "reserve_share = -0.1", "resrve_share = 0.1", 'caps = "yes"']
)
def test_what_can_not_be_meant_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match="plan"):
        site_of(tmp_path, f"\n[plan]\n{wrong}\n")
