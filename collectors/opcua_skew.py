"""How far a server's clock stands from ours."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from igoudar.collectors.opcua_values import utc

KEPT = 30  # messages
NOT_SET = 2000  # servers that don't fill the field send the year 1601


class Skew:
    """Server's time less ours (wall), from the time that each published message bears.

    A message's way only makes it later: the largest difference of the last few is nearest to the truth.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._seen: deque[float] = deque(maxlen=KEPT)

    def published(self, at: datetime | None) -> None:
        """A message with the server's time `at` has just come."""
        stamped = utc(at)
        if stamped is not None and stamped.year > NOT_SET:
            self._seen.append((stamped - self._now()).total_seconds())

    @property
    def seconds(self) -> float | None:
        """Positive when the server's clock is ahead; None before the first message [s]."""
        return max(self._seen, default=None)
