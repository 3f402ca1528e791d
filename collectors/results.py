"""What became of a write; one of five, never an exception."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Success:
    """Written, and the device holds it."""

    value: float  # read back, in the point's unit


@dataclass(frozen=True, slots=True)
class Partial:
    """The value stands, but something that belongs to it does not (enable, reversion timer)."""

    value: float
    missing: str


@dataclass(frozen=True, slots=True)
class OutOfBounds:
    """Not written: outside what the profile allows."""

    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not written: the site, the profile or the state of the device forbids it."""

    reason: str  # a key of core/i18n/en/guard.toml: not_allowed, expired, interlock, ...
    detail: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Error:
    """Tried, and not known to have happened."""

    detail: str
    held: float | None = field(default=None, compare=False)  # another value that the device shows since


Result = Success | Partial | OutOfBounds | Rejected | Error
