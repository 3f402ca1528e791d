"""What people do by hand: approve, decline, override, stop everything; each with a line in the audit."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from igoudar.collectors.results import Success
from igoudar.control.acting import life_of
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.executor import Executor, Outcome
from igoudar.control.actuation.guard.rules import CLASSES
from igoudar.control.actuation.packing import unpack
from igoudar.control.actuation.proposals import DECLINED
from igoudar.control.actuation.refusal import raise_refused
from igoudar.control.errors import UnknownNameError
from igoudar.control.lease import not_writer
from igoudar.control.records.safety_tables import OverrideRow, ProposalRow
from igoudar.core import handsoff
from igoudar.core.errors import CommandError
from igoudar.core.said import said

LONGEST = timedelta(days=7)  # even a person's override ends by itself


@dataclass(slots=True)
class Hands:
    """Wishes of people that are no job's.

    Args:
        executor: Carries out what was approved.
        state: The state folder, for hands-off.
        cycle_s: Length of a control cycle, site time.
    """

    executor: Executor
    state: Path
    cycle_s: float

    # --- proposals ------------------------------------------------------------------------------------------

    def proposals(self) -> list[ProposalRow]:
        """Those that wait."""
        return self.executor.proposals.waiting()

    async def approve(
        self, proposal_id: str, who: str, reason: str, now: datetime, *, may_second: bool = True
    ) -> Outcome:
        """Approve a proposal; it is carried out once enough different people have.

        `may_second` says whether this person's role may be the second one.

        Raises:
            UnknownNameError: no such proposal.
            CommandError: decided or expired already, approved by the same person before, or refused now.
        """
        self._refuse(proposal_id)
        waiting = self.executor.proposals.get(proposal_id)
        if waiting.approved_by and not may_second:
            raise said(CommandError, "refusal.second_role", where=proposal_id)
        row, command = self.executor.proposals.approve(proposal_id, who, reason, now)
        self._say(now, who, "approve", command, reason)
        command = replace(command, expires_at=_expires_at(command, now + life_of(self.cycle_s)))
        (outcome,) = await self.executor.submit([command], now)
        if outcome.proposal_id is None:
            done = isinstance(outcome.result, Success)
            self.executor.proposals.settle(row, "done" if done else "failed", who, reason)
            raise_refused(outcome)
        return outcome

    def decline(self, proposal_id: str, who: str, reason: str, now: datetime) -> ProposalRow:
        """Decline a proposal: the same is not proposed again before it would have expired.

        Raises:
            UnknownNameError, CommandError: as `approve`.
        """
        self._refuse(proposal_id)
        row = self.executor.proposals.get(proposal_id)
        self.executor.proposals.settle(row, DECLINED, who, reason)
        self._say(now, who, "decline", unpack(row.command), reason)
        return row

    # --- overrides ------------------------------------------------------------------------------------------

    def overrides(self) -> list[OverrideRow]:
        """What people hold, the first to end first."""
        return self.executor.gate.overrides.listed()

    def wish(
        self, target: str, point: str, value: float, until: datetime, who: str, reason: str, now: datetime
    ) -> Command:
        """The command that an override means; nothing is done.

        Raises:
            UnknownNameError: no such device.
            CommandError: it ends in the past, or too late.
        """
        kind = self.executor.gate.rules.devices.get(target)
        if kind is None:
            raise said(UnknownNameError, "refusal.no_device", where=target)
        if not now < until <= now + LONGEST:
            raise said(CommandError, "refusal.override_long", where=target)
        return Command(
            command_id=uuid4().hex,
            actuator=CLASSES.get(kind, ActuatorClass.CAPS),
            target=target,
            point=point,
            issued_at=now,
            expires_at=min(now + life_of(self.cycle_s), until),
            origin=Origin.OVERRIDE,
            who=who,
            code="guard.override_set",
            params={"who": who, "reason": reason, "until": until},
            value=value,
            until=until,
            approved_by=(who,),
        )

    async def override(self, command: Command, now: datetime) -> Outcome:
        """Set a point by hand; it stays until released or expired, whatever the plan wants.

        Raises:
            CommandError: refused; where only the device failed, the hold stands and is tried again.
        """
        (outcome,) = await self.executor.submit([command], now)
        raise_refused(outcome)
        return outcome

    def release(self, target: str, point: str, who: str, reason: str, now: datetime) -> OverrideRow:
        """Let go of a point; the plan, or the device's own rule, has it again.

        Raises:
            UnknownNameError: nobody holds it.
            CommandError: another host is the writer.
        """
        self._refuse(f"{target} {point}")
        row = self.executor.gate.overrides.release(target, point, now)
        if row is None:
            raise said(UnknownNameError, "refusal.nobody_holds", where=f"{target} {point}")
        self.executor.gate.memory.release((target, point))
        before = f"{row.value:g}" if row.value is not None else None
        self._note(now, who, "override_release", target, point, reason, before)
        return row

    # --- hands-off ------------------------------------------------------------------------------------------

    def hands_off(self, on: bool, who: str, reason: str, now: datetime) -> handsoff.HandsOff | None:
        """Stop every write at once, or let writes through again.

        Raises:
            StoreError: the file can't be written or removed.
        """
        if on:
            handsoff.turn_on(self.state, who, reason)
        else:
            handsoff.turn_off(self.state)
        word, before = ("on", "off") if on else ("off", "on")
        self._note(now, who, "hands_off", "site", word, reason, before)
        return handsoff.read(self.state)

    def _refuse(self, where: str) -> None:
        """Only the writer keeps what people decide: elsewhere it would be overwritten."""
        if not self.executor.gate.lease.held():
            raise not_writer(where)

    def _say(self, now: datetime, who: str, verb: str, command: Command, reason: str) -> None:
        after = f"{command.point} {command.value:g}" if command.value is not None else command.point
        self._note(now, who, verb, command.target, after, reason)

    def _note(
        self,
        now: datetime,
        who: str,
        verb: str,
        target: str,
        after: str,
        reason: str,
        before: str | None = None,
    ) -> None:
        chronicle = self.executor.chronicle
        params = {"who": who, "reason": reason}
        chronicle.say(now, who, verb, target, after, "control.operator", params, before)
        chronicle.flush()


def _expires_at(command: Command, least: datetime) -> datetime:
    """At least so long, but a setpoint never beyond the time at which its person wants it to end."""
    end = max(command.expires_at, least)
    if command.until is None or command.actuator is ActuatorClass.JOBS:
        return end
    return min(end, command.until)
