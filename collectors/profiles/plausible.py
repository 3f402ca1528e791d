"""What a unit can hold anywhere on a site, for points whose profile names no range of its own."""

from collections.abc import Mapping

PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "w": (-1e10, 1e10),
    "wh": (0.0, 1e15),
    "va": (-1e10, 1e10),
    "var": (-1e10, 1e10),
    "c": (-273.15, 1500.0),
    "kpa": (-1e3, 1e5),
    "bar": (-10.0, 1e3),
    "lpm": (-1e7, 1e7),
    "pct": (-1e3, 1e3),
    "ratio": (-1e3, 1e3),
    "v": (-1e6, 1e6),
    "a": (-1e6, 1e6),
    "hz": (0.0, 1e5),
    "s": (0.0, 1e12),
    "mps": (-150.0, 150.0),
    "wm2": (-100.0, 2500.0),
    "deg": (-360.0, 360.0),
    "count": (-1e12, 1e12),
    "state": (-(2.0**31), 2.0**32),
    "m3": (0.0, 1e12),
    "kg": (0.0, 1e12),
}
"""By unit, low and high. Wide on purpose: a number outside is garbage, not weather."""
