"""How far a device's clock is off, and how fast it runs away."""

import math

WINDOW_S = 600.0


class ClockWatch:
    """Measures a clock by the time that arrives with its values.

    What arrives was stamped earlier: the newest stamps of a window lie closest to the clock, so its offset is
    the largest difference (device - ours) of the last one to two windows.
    """

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._began_s = -math.inf
        self._now = self._last = -math.inf
        self._first: tuple[float, float] | None = None  # when, offset of the first full window
        self._recent: tuple[float, float] | None = None

    @property
    def offset_s(self) -> float | None:
        """Device time minus ours [s]; None before the first stamp."""
        largest = max(self._now, self._last)
        return largest if math.isfinite(largest) else None

    @property
    def drift_ppm(self) -> float | None:
        """How much faster the device's clock runs [1e-6]; None until two full windows have passed."""
        if self._first is None or self._recent is None or self._recent[0] <= self._first[0]:
            return None
        return 1e6 * (self._recent[1] - self._first[1]) / (self._recent[0] - self._first[0])

    def note(self, at_s: float, device_s: float) -> None:
        """Take one stamp, received at `at_s` (both POSIX s)."""
        if at_s - self._began_s >= self._window_s:
            self._turn(at_s)
        self._now = max(self._now, device_s - at_s)

    def _turn(self, at_s: float) -> None:
        if math.isfinite(self._now):
            self._recent = (self._began_s, self._now)
            self._first = self._first or self._recent
        self._last, self._now, self._began_s = self._now, -math.inf, at_s
