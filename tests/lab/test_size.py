import numpy as np
import pytest
from tests.lab.conftest import factors

from igoudar.lab.match import Profiles, Sizes, match_of_sizes
from igoudar.lab.size import BATTERY_H, Mix, cheapest, costs, sizes


@pytest.fixture(scope="module")
def profiles():
    """Three days of a steady MW."""
    sun, wind = (np.repeat(values, 4)[None, :] for values in zip(*factors(72), strict=True))
    return Profiles(np.full_like(sun, 1e6), sun, wind, np.ones(1))


def match(profiles, mix):
    told = {key: np.array([value * 1e6]) for key, value in mix.sizes(profiles.mean_load_w).items()}
    return match_of_sizes(
        profiles, Sizes(told["pv_mw"], told["wind_mw"], told["battery_mwh"], told["battery_mw"]), 0.95
    )[0]


def test_more_of_anything_never_matches_less(profiles):
    base = Mix(0.5, 4.0, 3.0)
    assert match(profiles, Mix(0.5, 4.0, 3.5)) > match(profiles, base)
    assert match(profiles, Mix(0.5, 0.0, 3.0)) < match(profiles, base)


@pytest.mark.parametrize("target", [0.7, 0.95, 0.99])
def test_the_cheapest_mix_reaches_its_target_and_little_more(profiles, target):
    mix, _ = cheapest(profiles, target, 0.95)
    assert match(profiles, mix) == pytest.approx(target, abs=2e-3)


def test_a_higher_target_is_never_cheaper(profiles):
    found = [cheapest(profiles, target, 0.95)[0] for target in (0.8, 0.9, 0.95, 0.99, 1.0)]
    yearly = [costs(mix.sizes(1e6))["usd_per_year"] for mix in found]
    assert yearly == sorted(yearly)


def test_what_cannot_be_reached_is_said(profiles):
    dark = Profiles(profiles.load_w, profiles.pv_ratio * 0, profiles.wind_ratio * 0, profiles.weights)
    mix, best = cheapest(dark, 0.95, 0.95)
    assert mix is None
    assert best < 0.95


def test_yearly_cost_is_capital_by_annuity_and_upkeep():
    """1 MW of each: annuity of 25 years at 7.47 % by its textbook formula."""
    told = costs({"pv_mw": 1.0, "wind_mw": 0.0, "battery_mwh": 0.0})
    rate = 0.0747 * 1.0747**25 / (1.0747**25 - 1)
    assert told["capital_usd"] == pytest.approx(572_300)
    assert told["usd_per_year"] == pytest.approx(572_300 * rate + 9_730)


def test_sizes_split_generation_and_keep_the_battery_s_hours():
    told = Mix(0.25, 8.0, 4.0).sizes(2e6)
    assert told == {"pv_mw": 2.0, "wind_mw": 6.0, "battery_mwh": 16.0, "battery_mw": 16.0 / BATTERY_H}


def test_the_policy_itself_reaches_the_target_with_less(scenario, tmp_path):
    setting = scenario(policies=("greedy",))
    (answer,) = sizes(setting, [0.9], tmp_path / "out", workers=1)["answers"]
    assert answer["reached"] >= 0.9 - 1e-6
    assert answer["pv_mw"] + answer["wind_mw"] <= sum(answer["with_run_now"][k] for k in ("pv_mw", "wind_mw"))
