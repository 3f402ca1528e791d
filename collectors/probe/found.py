"""What a probe found, and how well a profile fits it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from igoudar.collectors.readers import Values
from igoudar.core.model import Point, Profile, Quality, Reason

FITS = 0.6  # plausibility from which a profile is offered
REGISTERS_OF_NOTHING = 0.5  # a zero, or a "not implemented", says neither yes nor no
TELLING = 3.0  # weight of a point whose plausible range leaves zero out: only the right register holds such
TINY = 1e-6  # what integers look like when they are taken for a float


@dataclass(frozen=True, slots=True)
class Fit:
    """A profile held against what the device answered."""

    profile: Profile
    score: float  # 0..1
    values: Mapping[str, float]
    flags: Mapping[str, tuple[Quality, Reason]]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "profile": self.profile.name,
            "score": round(self.score, 3),
            "values": dict(self.values),
            "flags": flags_json(self.flags),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that answers; what it says of itself is hostile text."""

    address: str  # as in a site file
    identity: Mapping[str, str] = field(default_factory=dict)
    models: tuple[tuple[int, int], ...] = ()  # SunSpec (number, length), in the device's order
    base: int | None = None  # where the SunSpec marker stands
    fits: tuple[Fit, ...] = ()  # best first

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        sunspec = None
        if self.base is not None:
            sunspec = {"base": self.base, "models": [list(model) for model in self.models]}
        return {
            "address": self.address,
            "identity": dict(self.identity),
            "sunspec": sunspec,
            "fits": [fit.as_json() for fit in self.fits],
        }


def flags_json(flags: Mapping[str, tuple[Quality, Reason]]) -> dict[str, list[str]]:
    """Qualities and reasons in words."""
    return {name: [quality.name.lower(), reason.name.lower()] for name, (quality, reason) in flags.items()}


def fit(profile: Profile, answer: Values, among: Collection[str] = ()) -> Fit:
    """Score an answer: the weighted share of the points that hold what such a point may hold.

    Args:
        profile: Whose points.
        answer: What was read through it.
        among: The points that were asked for; all, when empty.
    """
    weights = {name: weight(profile.points[name]) for name in among or profile.points}
    marks = sum(weight * _mark(name, answer) for name, weight in weights.items())
    return Fit(profile, marks / sum(weights.values()), answer.values, answer.flags)


def best(fits: list[Fit], least: float = FITS) -> tuple[Fit, ...]:
    """The fits worth offering, best first; among equals the one that explains more points."""
    worth = (fit for fit in fits if fit.score >= least)
    return tuple(sorted(worth, key=lambda fit: (-fit.score, -len(fit.values), fit.profile.name)))


def weight(point: Point) -> float:
    """How much a point tells."""
    low, high = point.plausible or (0.0, 0.0)
    return TELLING if low > 0 or high < 0 else 1.0


def _mark(name: str, answer: Values) -> float:
    value = answer.values.get(name)
    if value is None:
        _, reason = answer.flags.get(name, (Quality.BAD, Reason.MISSING))
        return REGISTERS_OF_NOTHING if reason is Reason.SENTINEL else 0.0
    if value == 0:
        return REGISTERS_OF_NOTHING
    return 0.0 if abs(value) < TINY else 1.0
