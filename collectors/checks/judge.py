"""All rules that need no memory, in the order in which a person would want to hear of them; pure."""

from collections.abc import Callable

from igoudar.collectors.checks.allowed import bounded, listed
from igoudar.collectors.checks.ground import Ground
from igoudar.collectors.checks.interlocks import interlocked
from igoudar.collectors.checks.standing import standing, timely
from igoudar.collectors.checks.telemetry import remote, seen
from igoudar.collectors.results import OutOfBounds, Rejected
from igoudar.core.model import Setpoint

Check = Callable[[Setpoint, Ground], Rejected | OutOfBounds | None]

CHECKS: tuple[Check, ...] = (listed, bounded, standing, timely, seen, remote, interlocked)


def judge(wish: Setpoint, ground: Ground) -> Rejected | OutOfBounds | None:
    """What forbids this write at this instant, None when nothing does."""
    for check in CHECKS:
        refusal = check(wish, ground)
        if refusal is not None:
            return refusal
    return None
