import numpy as np
import pytest

from igoudar.control.planning.forecast.seen import FutureReadError, Seen


def test_what_came_later_cannot_be_read() -> None:
    seen = Seen(np.arange(20.0), 9)
    assert seen.at(9) == 9.0
    assert seen.between(7, 10).tolist() == [7.0, 8.0, 9.0]
    with pytest.raises(FutureReadError, match="0 to 9 are known"):
        seen.at(10)
    with pytest.raises(FutureReadError):
        seen.between(5, 11)
    with pytest.raises(FutureReadError):
        seen.between(-1, 3)


def test_what_was_read_does_not_alter_the_series() -> None:
    series = np.arange(8.0)
    Seen(series, 7).between(0, 8)[:] = -1.0
    assert series[0] == 0.0


def test_issued_within_the_series_only() -> None:
    with pytest.raises(FutureReadError):
        Seen(np.zeros(4), 4)
