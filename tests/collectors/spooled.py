"""Readings that can be told apart, and sets of them."""

from collections.abc import Iterable
from datetime import timedelta

from igoudar.core.model import Reading

from .rigs import START


def reading(number: int, points: int = 2, at_s: float | None = None) -> Reading:
    """The reading of a device of its own, one second after the one before."""
    at = START + timedelta(seconds=number if at_s is None else at_s)
    return Reading(at, f"d{number}", {f"p{i}_w": number + i / 3 for i in range(points)})


def named(readings: Iterable[Reading]) -> set[str]:
    """What tells readings apart."""
    return {each.device for each in readings}
