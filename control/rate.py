"""How often one caller may call: a bucket of tokens each, refilled steadily."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

CALLERS_MAX = 10_000  # remembered; the one silent for longest is forgotten first


@dataclass(slots=True)
class Rate:
    """At most `burst` calls at once and `per_s` on average (wall), for each caller."""

    per_s: float
    burst: int
    now: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)  # (calls left, when)

    def wait_s(self, caller: str) -> float:
        """0 when the call may come in, which is then counted; else how long to wait."""
        left = self._left(caller)
        if left < 1.0:
            return (1.0 - left) / self.per_s
        self._keep(caller, left - 1.0)
        return 0.0

    def _left(self, caller: str) -> float:
        left, at = self._buckets.get(caller, (float(self.burst), self.now()))
        return min(float(self.burst), left + (self.now() - at) * self.per_s)

    def _keep(self, caller: str, left: float) -> None:
        self._buckets[caller] = (left, self.now())
        self._buckets.move_to_end(caller)
        while len(self._buckets) > CALLERS_MAX:
            self._buckets.popitem(last=False)
