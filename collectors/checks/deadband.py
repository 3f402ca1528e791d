"""An unchanged value is not written."""

import math

CLOSE = 1e-6  # of the value: what a 32-bit float rounds


def same(held: float, wanted: float) -> bool:
    """Whether a device holds what it was given, up to what a 32-bit float rounds."""
    return math.isclose(held, wanted, rel_tol=CLOSE, abs_tol=1e-9)


def unchanged(held: float, wanted: float, deadband: float) -> bool:
    """Whether a device holds `wanted` already, as far as its profile cares."""
    return same(held, wanted) or abs(held - wanted) <= deadband
