"""What events remember from cycle to cycle, and over a restart. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from igoudar.control.demand_response import debt
from igoudar.control.demand_response.debt import Debts
from igoudar.control.demand_response.levers import JobLever, Levers, Sight
from igoudar.core.model import JobState

REFUSED_FOR = timedelta(minutes=10)
WISH = "battery_w"  # parameter of a command to one unit: what is asked of all together
RAISED = 1.1  # a battery that is asked for so much more has time to answer again


@dataclass(frozen=True, slots=True)
class Effect:
    """A change that was commanded and is not on the meter yet."""

    at: datetime
    what: str
    facility_w: float
    import_w: float


@dataclass(frozen=True, slots=True)
class Paused:
    """A job that an event suspended."""

    at: datetime
    gpus: int
    relief_w: float
    resume_by: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that was moved and not moved back."""

    effects: tuple[Effect, ...] = ()
    paused: Mapping[str, Paused] = field(default_factory=dict)
    resumed: Mapping[str, datetime] = field(default_factory=dict)
    delayed: Mapping[str, datetime] = field(default_factory=dict)  # waiting job -> when it would have begun
    caps: Mapping[str, float] = field(default_factory=dict)  # target -> limit that we set
    loads: Mapping[str, float] = field(default_factory=dict)
    battery_w: float | None = None  # asked of it
    battery_at: datetime | None = None  # when it was last asked for much more
    battery_from_w: float | None = None  # what it gave, or was asked for, before the last change
    battery_moved_at: datetime | None = None  # of that change
    free_w: float | None = None  # import if the battery stood still, as last seen
    free_at: datetime | None = None
    swing_w: float = 0.0  # how much it has risen of late from one answer to the next
    room_since: datetime | None = None  # since when there is room under the limit
    refused: Mapping[str, datetime] = field(default_factory=dict)  # what did not do as told -> not before
    debts: Debts = field(default_factory=Debts)
    at: datetime | None = None  # of the last cycle

    @property
    def idle(self) -> bool:
        """Nothing is left to move back."""
        return not (self.paused or self.caps or self.loads) and self.battery_w is None

    @property
    def pending_facility_w(self) -> float:
        """Change of the facility load that is commanded and not seen [W]."""
        return sum(effect.facility_w for effect in self.effects)

    @property
    def pending_import_w(self) -> float:
        """Change of the import that is commanded and not seen, the battery's aside [W]."""
        return sum(effect.import_w for effect in self.effects)

    @property
    def unseen_relief_w(self) -> float:
        """Of that, what takes import off; negative [W]."""
        return sum(min(0.0, effect.import_w) for effect in self.effects)

    def asked(self, wish_w: float, now_w: float, now: datetime) -> "Memory":
        """With what is asked of the battery; one that is asked for much more has time to answer again."""
        before_w = self.battery_w
        if before_w == wish_w:
            return self
        raised = before_w is None or wish_w > RAISED * before_w
        return replace(
            self,
            battery_w=wish_w,
            battery_at=now if raised else self.battery_at,
            battery_from_w=now_w if before_w is None else before_w,
            battery_moved_at=now,
        )

    def released(self) -> "Memory":
        """With the battery left alone."""
        return replace(
            self, battery_w=None, battery_at=None, battery_from_w=None, battery_moved_at=None, free_w=None
        )


_MEMORY = TypeAdapter(Memory)


def dumped(memory: Memory) -> dict[str, Any]:
    """As JSON keeps it."""
    found: dict[str, Any] = _MEMORY.dump_python(memory, mode="json")
    return found


def loaded(document: Any) -> Memory:
    """From JSON.

    Raises:
        ValueError: it can't be read.
    """
    return _MEMORY.validate_python(document) if document else Memory()


def observed(
    memory: Memory, sight: Sight, levers: Levers, gone: Mapping[str, JobState], settle_s: float
) -> Memory:
    """What the new look tells: effects now on the meter, jobs that others resumed, time gone by.

    `gone` has the states of jobs that are no levers any more (finished, or steered by a person).
    """
    jobs = levers.by_id()
    states = {**gone, **{name: job.state for name, job in jobs.items()}}
    elapsed_s = (sight.now - memory.at).total_seconds() if memory.at else 0.0
    return replace(
        memory,
        effects=tuple(e for e in memory.effects if not _on_meter(e, sight, settle_s)),
        paused={n: p for n, p in memory.paused.items() if states.get(n) is JobState.SUSPENDED and n in jobs},
        resumed={n: at for n, at in memory.resumed.items() if n in jobs},
        delayed={n: at for n, at in memory.delayed.items() if _waits(jobs.get(n), sight.now)},
        refused={n: at for n, at in memory.refused.items() if at > sight.now},
        debts=debt.passed(memory.debts, max(0.0, elapsed_s), states),
        at=sight.now,
    )


def _on_meter(effect: Effect, sight: Sight, settle_s: float) -> bool:
    return sight.read_at is not None and sight.read_at >= effect.at + timedelta(seconds=settle_s)


def _waits(job: JobLever | None, now: datetime) -> bool:
    waits = job is not None and job.state is JobState.WAITING
    return waits and job is not None and job.begin_at is not None and job.begin_at > now
