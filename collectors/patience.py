"""How long to wait for one unit of a shared line: less, once it has stopped answering."""

from dataclasses import dataclass

SHORT = 1 / 8  # of the full timeout: what a unit gets that was silent and whose pace is not known
MARGIN = 2.0  # times the slowest answer that was seen lately
FULL_EVERY = 16  # silences in a row, after which the full timeout is tried again
FADING = 0.95  # per answer: how fast a slow answer is forgotten


@dataclass(slots=True)
class Patience:
    """What one unit's answers have taught.

    Args:
        longest_s: The product's timeout [s].
    """

    longest_s: float
    slowest_s: float = 0.0
    silences: int = 0

    @property
    def timeout_s(self) -> float:
        """How long to wait for its next answer [s]: a dead unit must not cost its neighbours their turn."""
        if self.silences % FULL_EVERY == 0:
            return self.longest_s
        return min(self.longest_s, max(MARGIN * self.slowest_s, SHORT * self.longest_s))

    def answered(self, took_s: float) -> None:
        """It answered after `took_s`."""
        self.silences = 0
        self.slowest_s = max(took_s, FADING * self.slowest_s)

    def silent(self) -> None:
        """It did not answer in time."""
        self.silences += 1

    def late(self) -> None:
        """An answer came after its request had been given up: it lives, so it gets its full time again."""
        self.silences = 0
