"""Why a link gave no values: an error that knows its `Reason`."""

import random
from collections.abc import Callable

from igoudar.collectors.results import Rejected
from igoudar.core.errors import LinkError
from igoudar.core.model import Gap, Reason


class LinkFault(LinkError):  # noqa: N818 - the field's word: a fault has a cause and is cleared
    """A device, or the way to it, did not answer as it should."""

    def __init__(self, reason: Reason, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.reason = reason

    def again(self) -> "LinkFault":
        """The same fault to be raised anew: a raised exception grows with every raise."""
        return LinkFault(self.reason, self.what, where=self.where, fix=self.fix)

    def gap(self) -> Gap:
        """What a reading says of this fault."""
        return Gap(self.reason, str(self))


class DeviceFault(LinkFault):
    """The device answered, but refused; the link itself works."""

    def __init__(self, reason: Reason, code: int, what: str, *, where: str = "") -> None:
        super().__init__(reason, what, where=where)
        self.code = code


class Withheld(LinkFault):
    """A write that was not sent: what had been allowed is not allowed any more."""

    def __init__(self, why: Rejected) -> None:
        super().__init__(Reason.NONE, f"not sent: {why.reason}", where="write guard")
        self.why = why


class Backoff:
    """When to try again: doubling waits with jitter, so that a thousand clients do not come back as one.

    Args:
        first_s: Wait after the first failure [s].
        longest_s: Upper bound of the wait before jitter [s].
        jitter: A number in [0, 1) per call.
    """

    def __init__(
        self,
        first_s: float = 0.5,
        longest_s: float = 30.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.first_s, self.longest_s, self.jitter = first_s, longest_s, jitter
        self.failures = 0
        self._until = float("-inf")

    def due(self, now_s: float) -> bool:
        """Whether a new attempt may start at monotonic `now_s`."""
        return now_s >= self._until

    def failed(self, now_s: float) -> float:
        """Note a failure; returns the wait until the next attempt [s]."""
        wait = min(self.first_s * 2.0 ** min(self.failures, 16), self.longest_s)
        wait *= 0.75 + 0.5 * self.jitter()
        self.failures += 1
        self._until = now_s + wait
        return wait

    def succeeded(self) -> None:
        """Start anew."""
        self.failures = 0
        self._until = float("-inf")
