"""What is asked of the plant or of a scheduler: one command, the same form whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4


class ActuatorClass(StrEnum):
    """What kind of thing a command moves; mode and approval are set per class."""

    JOBS = "jobs"  # begin times, pauses, the power budget of a scheduler
    CAPS = "caps"  # power limits of GPUs and power shelves
    BATTERY = "battery"
    CURTAILMENT = "curtailment"  # of sun and wind
    COOLING = "cooling"
    LOADS = "loads"  # desalination, electrolyser


class Origin(StrEnum):
    """Whose wish it is; a later one in this list yields to an earlier one on the same point."""

    SAFETY = "safety"  # interlocks, fail-safe values, relinquishing
    OVERRIDE = "override"  # an operator's, sticky until released
    EVENT = "event"  # shed, cap, demand response
    OPERATOR = "operator"  # a person's single action
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Command:
    """One change of one point or one job.

    `point` is a writable point of a device, or a verb of a scheduler (delay, release, suspend, resume,
    requeue, budget, power_down, power_up). `value` is in the unit of the point's suffix, None for verbs
    without one. `until` is the begin time of a delay or the resume-by of a suspend. A command that is not
    carried out by `expires_at` is dropped; the same `command_id` is never carried out twice. `approved_by`
    names the people who stand behind it: whoever asked for it, and whoever approved it.
    """

    command_id: str
    actuator: ActuatorClass
    target: str  # device or job id
    point: str
    issued_at: datetime
    expires_at: datetime
    origin: Origin
    who: str  # "control" or a person
    code: str  # the reason, a code of the catalogue, with its parameters
    params: Mapping[str, object] = field(default_factory=dict)
    value: float | None = None
    until: datetime | None = None
    plan_version: str = ""
    config_version: str = ""
    approved_by: tuple[str, ...] = ()


def planned(
    actuator: ActuatorClass,
    target: str,
    point: str,
    value: float | None,
    now: datetime,
    life: timedelta,
    code: str,
    params: Mapping[str, object],
) -> Command:
    """What the plan asks of one point, from now on and for so long."""
    return Command(
        command_id=uuid4().hex,
        actuator=actuator,
        target=target,
        point=point,
        issued_at=now,
        expires_at=now + life,
        origin=Origin.PLAN,
        who="control",
        code=code,
        params=params,
        value=value,
    )
