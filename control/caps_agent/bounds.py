"""What a GPU's limit may be: the narrower of the site's rules and the GPU's own; pure."""

from collections.abc import Sequence
from typing import NamedTuple

from igoudar.control.caps_agent.config import Rules
from igoudar.control.caps_agent.gpus import Gpu

SAME_W = 1.0  # NVML counts in mW, some GPUs in whole watts


class Bounds(NamedTuple):
    """Lowest, highest and standing limit of one or several GPUs [W]."""

    minimum_w: float
    maximum_w: float
    default_w: float


def bounds(gpu: Gpu, rules: Rules) -> Bounds:
    """Of one GPU."""
    low = max(rules.minimum_w, gpu.minimum_w)
    high = max(low, min(rules.maximum_w, gpu.maximum_w))
    wanted = gpu.default_w if rules.default_w is None else rules.default_w
    return Bounds(low, high, min(max(wanted, low), high))


def common(gpus: Sequence[Gpu], rules: Rules) -> tuple[float, float]:
    """The range that all of them allow."""
    each = [bounds(gpu, rules) for gpu in gpus]
    return max(one.minimum_w for one in each), min(one.maximum_w for one in each)


def holds(gpu: Gpu, limit_w: float) -> bool:
    """Whether the GPU really has this limit."""
    return abs(gpu.limit_w - limit_w) <= SAME_W
