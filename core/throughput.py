"""How much work a GPU does at a lower power: one curve for the plan and for the simulated racks.

Source: SITE.md and the reference scenario: training loses about 10 % of its throughput at 85 % of full power;
at 22 % a rack only idles. Decoding of language models draws less than a cap would leave it: not meant here.
"""

from collections.abc import Sequence
from itertools import pairwise

CURVE: Sequence[tuple[float, float]] = ((0.22, 0.0), (0.85, 0.90), (1.0, 1.0))
"""(share of full power, share of full throughput); straight lines between."""

IDLE_RATIO = CURVE[0][0]


def throughput_ratio(power_ratio: float) -> float:
    """Throughput at a share of full power, 0 to 1."""
    return _along(power_ratio, CURVE)


def power_ratio(throughput: float) -> float:
    """The share of full power that a throughput takes; the inverse of `throughput_ratio`."""
    return _along(throughput, [(work, power) for power, work in CURVE])


def throughput_of_dynamic(dynamic_ratio: float) -> float:
    """Throughput when this share of the power above idle is left, 0 to 1."""
    return throughput_ratio(IDLE_RATIO + (1.0 - IDLE_RATIO) * dynamic_ratio)


def dynamic_ratio(power_ratio: float) -> float:
    """The share of the power above idle that is left at a share of full power."""
    return max(0.0, (power_ratio - IDLE_RATIO) / (1.0 - IDLE_RATIO))


def _along(x: float, curve: Sequence[tuple[float, float]]) -> float:
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x <= x1:
            return y0 + (y1 - y0) * max(0.0, x - x0) / (x1 - x0)
    return curve[-1][1]
