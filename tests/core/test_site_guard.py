from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model_guard import Guarding, PointLimit
from igoudar.core.site import load_site

ROOT = Path(__file__).resolve().parents[2]
LAB = (ROOT / "seeds" / "jazari-lab.toml").read_text()


def guard_of(tmp_path: Path, table: str) -> Guarding:
    file = tmp_path / "site.toml"
    file.write_text(f"{LAB}\n{table}")
    return load_site(str(file), load_profiles()).guard


def test_without_a_table_the_defaults_hold(tmp_path: Path) -> None:
    assert guard_of(tmp_path, "") == Guarding()


def test_the_table_of_the_page_is_read_and_says_the_defaults(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "acting.md").read_text()
    found = guard_of(tmp_path, page.split("```toml")[1].split("```")[0])
    limits = {("battery", "discharge_rate_pct"): PointLimit(0, 80, 60.0, None)}
    assert found == Guarding(two_person=frozenset({"cooling"}), modes={"battery": "advise"}, limits=limits)


@pytest.mark.parametrize(
    "table",
    [
        '[guard]\ntwo_person = ["engines"]',
        '[guard]\nhold = "-1s"',
        "[guard]\nhold = 5",
        '[guard]\nmodes = { battery = "bold" }',
        '[guard]\nthermal_class = "A9"',
        "[guard]\nspeed = 1",
        '[[guard.limits]]\nkind = "weather"\npoint = "ghi_wm2"',
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(ConfigError, match=r"site\.toml"):
        guard_of(tmp_path, table)
