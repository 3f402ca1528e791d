"""How careful an event is on this site at this speed of its clock. Pure."""

from dataclasses import dataclass

from igoudar.core.model_emergency import ORDER, Emergency

SETTLE_S, SETTLE_WALL_S = 3.0, 2.0  # from a command to its effect at the meter, the meter's own poll aside
RESUME_WALL_S = 15.0  # what goes on must be on the meter before more does
RESPONSE_WALL_S = 6.0  # a fast clock leaves less wall time for the same site time
STAMP_WALL_S = 0.1  # between a counter's refresh, its reading and the time stamp of both
RAMP_SHARE = 0.05  # of the rated IT power per minute


@dataclass(frozen=True, slots=True)
class Rules:
    """What `decide` reckons with."""

    levers: frozenset[str] = frozenset(ORDER)
    margin_ratio: float = 0.015
    ramp_w_per_min: float = 2e6
    response_s: float = 30.0
    settle_s: float = SETTLE_S
    resume_after_s: float = 300.0
    pause_at_least_s: float = 600.0
    open_s: float = 4 * 3600.0
    resume_by_max_s: float = 43_200.0
    stamp_s: float = STAMP_WALL_S

    def target_w(self, limit_w: float) -> float:
        """What the load is brought down to."""
        return limit_w * (1.0 - self.margin_ratio)

    def calm_w(self, limit_w: float) -> float:
        """Half the margin: more over the target is answered, less under it is left alone."""
        return limit_w * self.margin_ratio / 2.0

    def lead_s(self, cycle_s: float) -> float:
        """How long before a time that must be kept something is done for it."""
        return 2.0 * cycle_s + self.settle_s + 30.0


def rules_of(emergency: Emergency, it_w: float, speed: float, resume_by_max_s: float) -> Rules:
    """The rules of a site; what takes wall time takes more site time on a fast clock."""
    return Rules(
        levers=frozenset(emergency.levers),
        margin_ratio=emergency.margin_ratio,
        ramp_w_per_min=emergency.ramp_w_per_min or RAMP_SHARE * it_w,
        response_s=max(emergency.response_s, RESPONSE_WALL_S * speed),
        settle_s=max(SETTLE_S, SETTLE_WALL_S * speed),
        resume_after_s=max(emergency.resume_after_s, RESUME_WALL_S * speed),
        pause_at_least_s=emergency.pause_at_least_s,
        open_s=emergency.open_s,
        resume_by_max_s=resume_by_max_s,
        stamp_s=STAMP_WALL_S * speed,
    )
