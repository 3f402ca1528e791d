from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.rate import CALLERS_MAX, Rate


class Ticking:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_burst_then_a_steady_rate() -> None:
    now = Ticking()
    rate = Rate(2.0, 3, now)
    assert [rate.wait_s("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert rate.wait_s("b") == 0.0
    now.at = 0.5
    assert [rate.wait_s("a"), rate.wait_s("a")] == [0.0, 0.5]


@given(st.lists(st.floats(0, 3), max_size=60))
def test_never_more_than_the_rate_allows(pauses: list[float]) -> None:
    now, let_in = Ticking(), 0
    rate = Rate(2.0, 5, now)
    for pause in pauses:
        now.at += pause
        let_in += rate.wait_s("a") == 0.0
    assert let_in <= 5 + 2.0 * now.at + 1e-6


def test_callers_that_are_never_seen_again_are_forgotten() -> None:
    rate = Rate(1.0, 1, Ticking())
    for n in range(CALLERS_MAX + 10):
        rate.wait_s(str(n))
    assert len(rate._buckets) == CALLERS_MAX
