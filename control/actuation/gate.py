"""The guard with all that it must know at this instant; the executor asks it, just before each call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from igoudar.collectors.results import Result, Success
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.judge import judge
from igoudar.control.actuation.guard.rules import Rules
from igoudar.control.actuation.guard.verdict import Verdict
from igoudar.control.actuation.guard.view import View
from igoudar.control.actuation.memory import ENDS, Memory
from igoudar.control.actuation.overrides import HOLD, Overrides
from igoudar.control.actuation.sight import Sight
from igoudar.control.records.safety_tables import OverrideRow
from igoudar.core import handsoff

CONTROL = "control"


class Holds(Protocol):
    """Whether this process is the one that may act."""

    def held(self) -> bool:
        """At this moment."""
        ...


@dataclass(slots=True)
class Gate:
    """Everything that a verdict rests on.

    Args:
        rules: Of the site.
        modes: Of each class, now.
        lease: Of the one writer.
        state: The state folder, for hands-off.
        memory: What was done lately.
        overrides: What people hold.
        sight: The latest picture and queue; the loop replaces it each cycle.
        started_at: Of this process, site time.
        audit_ready: Whether the audit's disk has room for what the loop would begin.
    """

    rules: Rules
    modes: Callable[[], Mapping[str, str]]
    lease: Holds
    state: Path
    memory: Memory
    overrides: Overrides
    sight: Sight
    started_at: datetime
    audit_ready: Callable[[], bool] = lambda: True

    def judge(self, command: Command, now: datetime) -> Verdict:
        """Whether it may go at this moment."""
        return judge(command, self.rules, self.view(now))

    def view(self, now: datetime) -> View:
        """All facts, frozen."""
        return View(
            now=now,
            picture=self.sight.picture,
            lease=self.lease.held(),
            hands_off=handsoff.is_on(self.state),
            modes=self.modes(),
            started_at=self.started_at,
            jobs=self.sight.jobs,
            overrides=self.overrides.slots(),
            held=self.memory.held,
            faults=self.memory.faults,
            writes=self.memory.writes(now),
            past=self.memory.past(now),
            audit_ready=self.audit_ready(),
        )

    def going(self, command: Command, now: datetime) -> None:
        """A command is about to be carried: from here on a person holds the point, even if it fails."""
        if _by_hand(command) and command.actuator is not ActuatorClass.JOBS:
            self.overrides.set(_row(command, command.point, command.until or command.expires_at, now))

    def gone(self, command: Command, result: Result, now: datetime) -> None:
        """A command was carried: remember what stands, and who holds the job from now on."""
        self.memory.note(command, result, now, self.sight.picture.value(command.target, command.point))
        moved = isinstance(result, Success) and command.actuator is ActuatorClass.JOBS
        if not moved or not _by_hand(command):
            return
        if command.point in ENDS:
            self.overrides.release_job(command.target, now)
            return
        until = command.until or now
        sticky = until if command.point == "suspend" else max(until, now + HOLD)
        verb = str(command.params.get("verb", command.point))
        self.overrides.set(_row(command, verb, sticky, now))


def _by_hand(command: Command) -> bool:
    return command.origin is Origin.OVERRIDE and command.who != CONTROL


def _row(command: Command, point: str, until: datetime, now: datetime) -> OverrideRow:
    return OverrideRow(
        target=command.target,
        point=point,
        value=command.value,
        at=now,
        until=until,
        who=", ".join(command.approved_by) or command.who,
        reason=str(command.params.get("reason", "")),
    )
