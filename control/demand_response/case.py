"""What one decision of an event is made on, and how far over the target the load is. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from igoudar.control.demand_response.cover import Need
from igoudar.control.demand_response.levers import Levers, Limit, Sight
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.rules import Rules

LEAST_HORIZON_S = 60.0
GRACE_S = 900.0  # after its turn on the way back


@dataclass(frozen=True, slots=True)
class BatteryShare:
    """What the battery is asked for, and what of the import it is reckoned to cover."""

    wish_w: float | None = None  # None = it is left alone
    over_w: float = -inf  # import over its target if the battery stood still
    given_w: float = 0.0  # of that, until the event ends
    room_w: float = 0.0  # what it could give beyond that, until the event ends
    spare_w: float = 0.0  # what it could give beyond that for now


NO_NEED, NO_SHARE = Need(-inf, -inf), BatteryShare()


@dataclass(frozen=True, slots=True)
class Case:
    """One cycle."""

    limit: Limit
    sight: Sight
    levers: Levers
    memory: Memory
    rules: Rules
    need: Need = NO_NEED
    battery: BatteryShare = NO_SHARE

    @property
    def now(self) -> datetime:
        """Site time."""
        return self.sight.now

    @property
    def blind(self) -> bool:
        """A meter that matters is silent."""
        return (self.limit.facility_w is not None and self.sight.facility_w is None) or (
            self.limit.import_w is not None and self.sight.import_w is None
        )

    @property
    def calm_w(self) -> float:
        """What may be over or under the target without an answer [W]."""
        limits = [w for w in (self.limit.facility_w, self.limit.import_w) if w is not None]
        return self.rules.calm_w(min(limits)) if limits else 0.0

    @property
    def ends_at(self) -> datetime:
        """When the event ends, as far as anybody knows."""
        return self.limit.until or self.now + timedelta(seconds=self.rules.open_s)

    @property
    def back_w(self) -> float:
        """What comes back once it has ended."""
        return sum(paused.relief_w for paused in self.memory.paused.values())

    def back_at(self, before_w: float) -> datetime:
        """When on the way back it is the turn of whoever has `before_w` before it."""
        return self.ends_at + timedelta(minutes=before_w / self.rules.ramp_w_per_min)

    @property
    def horizon_s(self) -> float:
        """How long a job that is paused now may have to stand [s]."""
        over_at = self.back_at(self.back_w + max(0.0, self.need.most_w))
        return max(LEAST_HORIZON_S, (over_at - self.now).total_seconds())

    @property
    def lead_s(self) -> float:
        """How long before a latest start something is done for it [s]."""
        return self.rules.lead_s(self.sight.cycle_s)

    def resume_by(self) -> datetime:
        """When a job that is paused now must run again, whoever is alive to see to it.

        That is after the event: while somebody is, deadlines are seen to earlier.
        """
        return self.now + timedelta(seconds=min(self.horizon_s + GRACE_S, self.rules.resume_by_max_s))


def need_of(case: Case) -> Need:
    """What is over the target on each meter, what is commanded and not seen yet counted as done."""
    limit, sight, memory, rules = case.limit, case.sight, case.memory, case.rules
    facility_w = import_w = -inf
    if limit.facility_w is not None and sight.facility_w is not None:
        expected_w = sight.facility_w + memory.pending_facility_w + case.levers.arriving_w
        facility_w = expected_w - rules.target_w(limit.facility_w)
    if limit.import_w is not None:
        # Work goes on before the battery rests; on the way back it waits for the ramp.
        room_w = case.battery.room_w if limit.acting else 0.0
        import_w = case.battery.over_w - case.battery.given_w - room_w
    return Need(facility_w, import_w)
