"""Where a cooling setpoint goes next: the plan's wish inside envelope, worst inlet and ramp. Pure."""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from igoudar.core.model_plan import WarmerSupply

STEP_K = 0.5  # setpoints move in steps of so much, above what devices take notice of
CLOSE_K = 1e-9
AIR = timedelta(minutes=15)  # until a step is in the air at the racks, and at its worst sensor
MARGIN_K = 0.5  # kept to the inlets' limit: what a sensor goes up and down by itself


@dataclass(slots=True)
class Course:
    """What one setpoint stood at, oldest first [degC]."""

    stood: list[tuple[datetime, float]] = field(default_factory=list)

    def note(self, value_c: float, at: datetime) -> None:
        """It stands so since then; of what is older than `AIR` only the newest is kept."""
        if not self.stood or self.stood[-1][1] != value_c:
            self.stood.append((at, value_c))
        while len(self.stood) > 1 and self.stood[1][0] <= at - AIR:
            del self.stood[0]

    def still_s(self, now: datetime) -> float:
        """Since its last step."""
        return (now - self.stood[-1][0]).total_seconds() if self.stood else math.inf

    def coming_k(self, now: datetime) -> float:
        """How much warmer it was made so lately that the air does not show it yet."""
        past = [value for at, value in self.stood if at <= now - AIR] or [
            value for _, value in self.stood[:1]
        ]
        return max(0.0, self.stood[-1][1] - past[-1]) if past else 0.0


@dataclass(frozen=True, slots=True)
class Warmth:
    """How much warmer than found: in about a day's mean, and at most as the inlets stand [K]."""

    mean_k: float
    most_k: float


def room_k(free_k: float, coming_k: float) -> float:
    """How much warmer it may get, negative where it must get colder.

    Args:
        free_k: From the worst inlet to its limit.
        coming_k: What the inlets do not show yet.
    """
    return free_k if free_k < 0.0 else max(0.0, free_k - coming_k - MARGIN_K)


def next_c(supply: WarmerSupply, stands_c: float, wish_k: float, room_k: float, *, may_move: bool) -> float:
    """The setpoint to ask for now [degC].

    Args:
        supply: The envelope.
        stands_c: As it was asked for last, or found.
        wish_k: How much warmer than found the plan wants it.
        room_k: How much warmer the inlets let it be, negative for colder.
        may_move: Whether the ramp allows another step.
    """
    wish_c = supply.setpoint_c + whole_steps(min(wish_k, supply.warmer_k))
    bound_c = stands_c + whole_steps(room_k)
    gap_k = max(supply.setpoint_c, min(wish_c, bound_c)) - stands_c
    if not may_move:
        return stands_c
    return stands_c + max(-STEP_K, min(STEP_K, gap_k))


def step_s(ramp_k_per_h: float) -> float:
    """Time between two steps that keeps a ramp [s]."""
    return 3600.0 * STEP_K / ramp_k_per_h


def whole_steps(kelvin: float) -> float:
    """As many whole steps as fit below."""
    return STEP_K * math.floor(kelvin / STEP_K + CLOSE_K)
