"""A target that is not kept: active, then escalated, then resolved, under one id. Pure."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

TOLERANCE_RATIO = 0.01  # of the target: what a meter's class allows


class BreachState(StrEnum):
    """Where a breach stands."""

    ACTIVE = "active"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long above a target is no breach yet, and how long a breach is a plain one [s]."""

    response_s: float = 30.0
    escalate_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach that goes on; `above_since` is when the load was first seen above its target."""

    above_since: datetime
    breach_id: str = ""
    state: BreachState | None = None


def watched(
    breach: Breach | None, limit_w: float | None, load_w: float | None, now: datetime, patience: Patience
) -> tuple[Breach | None, Breach | None]:
    """The breach to remember, and the one to tell of (None: nothing new).

    A load that is not known changes nothing: neither a breach nor its end is claimed.
    """
    if limit_w is not None and load_w is None:
        return breach, None
    if limit_w is None or load_w is None or load_w <= limit_w * (1.0 + TOLERANCE_RATIO):
        told = replace(breach, state=BreachState.RESOLVED) if breach and breach.state else None
        return None, told
    if breach is None:
        return Breach(now), None
    above_s = (now - breach.above_since).total_seconds()
    if breach.state is None and above_s >= patience.response_s:
        began = replace(breach, breach_id=str(uuid.uuid4()), state=BreachState.ACTIVE)
        return began, began
    if breach.state is BreachState.ACTIVE and above_s >= patience.response_s + patience.escalate_s:
        worse = replace(breach, state=BreachState.ESCALATED)
        return worse, worse
    return breach, None
