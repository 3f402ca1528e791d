"""What the guard says of a command. Pure."""

from dataclasses import dataclass

from igoudar.collectors.results import OutOfBounds, Rejected


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may go: at once, or once `waits_for` more people have approved it."""

    waits_for: int = 0


Verdict = Allowed | Rejected | OutOfBounds
