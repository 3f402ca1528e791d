"""What the guard sees at one instant, frozen. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.control.picture import Picture

Slot = tuple[str, str]  # (device, point), or (job, "") whatever the verb
ORDER = tuple(Origin)  # the first wins


@dataclass(frozen=True, slots=True)
class Held:
    """What was last carried out on a slot, and for how long it stands."""

    value: float | None
    point: str
    origin: Origin
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """How often in a row a slot could not be moved, and when last."""

    count: int
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One instant of the site, of the modes and of what we did before."""

    now: datetime
    picture: Picture
    lease: bool
    hands_off: bool
    modes: Mapping[str, str]  # class -> observe | advise | auto
    started_at: datetime
    jobs: Mapping[str, QueuedJob] | None = None  # None while the scheduler does not answer
    overrides: Mapping[Slot, datetime] = field(default_factory=dict)  # people's holds, until
    held: Mapping[Slot, Held] = field(default_factory=dict)
    faults: Mapping[Slot, Fault] = field(default_factory=dict)
    writes: Mapping[Slot, int] = field(default_factory=dict)  # today
    past: Mapping[Slot, tuple[float, ...]] = field(default_factory=dict)  # values held in the last hour
    audit_ready: bool = True


def slot(command: Command) -> Slot:
    """What a command moves: commands on the same slot replace each other."""
    return command.target, "" if command.actuator is ActuatorClass.JOBS else command.point


def outranks(first: Origin, second: Origin) -> bool:
    """Whether the first stands over the second."""
    return ORDER.index(first) < ORDER.index(second)
