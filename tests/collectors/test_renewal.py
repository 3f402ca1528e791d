"""What to do about a setpoint that stands, decided by a pure function."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.holds import Held
from igoudar.collectors.renewal import GIVEN_UP, deed
from igoudar.collectors.results import Rejected
from igoudar.core.model import Setpoint
from tests.collectors.rigs import START

REASONS = (*GIVEN_UP, "no_telemetry", "frozen_telemetry", "local_control", "stale_epoch", "hands_off")
refusals = st.one_of(st.none(), st.sampled_from(REASONS).map(Rejected))


def held(life_s: float, timer_s: float = 60.0, *, timed: bool = True) -> Held:
    wish = Setpoint("d", "p_w", 1.0, START + timedelta(seconds=life_s), "c")
    return Held(wish, 1.0, 0.0, timed, START, timer_s)


@given(
    age_s=st.floats(0, 1e5),
    life_s=st.floats(0, 1e5),
    timer_s=st.floats(1, 1e4),
    timed=st.booleans(),
    turned=st.booleans(),
    refusal=refusals,
)
def test_nothing_is_renewed_that_may_not_be_written_or_is_over(
    age_s: float, life_s: float, timer_s: float, timed: bool, turned: bool, refusal: Rejected | None
) -> None:
    now = START + timedelta(seconds=age_s)
    done = deed(held(life_s, timer_s, timed=timed), refusal, now, turned=turned)
    if done == "renew":
        assert refusal is None
        assert turned
        assert now < START + timedelta(seconds=life_s)
    if done == "forget":
        assert timed
    if not timed and now >= START + timedelta(seconds=life_s):
        assert done == "release"


@pytest.mark.parametrize("reason", REASONS)
def test_what_is_not_wanted_is_given_back_and_what_is_not_seen_is_left_to_its_timer(reason: str) -> None:
    now = START + timedelta(seconds=30)
    expected = "release" if reason in GIVEN_UP else "keep"
    assert deed(held(100), Rejected(reason), now, turned=True) == expected


def test_it_is_renewed_well_before_its_timer_runs_out() -> None:
    ages = [s for s in range(61) if _at(s) == "renew"]
    assert ages[0] == 20
    assert _at(59, turned=False) == "keep"
    assert _at(120) == "forget"


def _at(age_s: float, *, turned: bool = True) -> str:
    return deed(held(1000), None, START + timedelta(seconds=age_s), turned=turned)
