"""Commands that wait for a person, or for a second one."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.guard.rules import VERBS
from igoudar.control.actuation.guard.view import Slot, slot
from igoudar.control.actuation.packing import pack, unpack
from igoudar.control.errors import UnknownNameError
from igoudar.control.records.safety_tables import ProposalRow
from igoudar.control.records.state import Records
from igoudar.core.errors import CommandError
from igoudar.core.said import said
from igoudar.core.units import unit_of

WAITING, DECLINED, EXPIRED = "waiting", "declined", "expired"
SAME_UNTIL = timedelta(minutes=20)  # a begin time that moved less is the same proposal
SAME_VALUE = 0.02  # of the value


@dataclass(slots=True)
class Proposals:
    """Those that wait, and those that a person has declined until they would have expired."""

    records: Records
    life: timedelta
    _open: dict[str, ProposalRow] = field(default_factory=dict)
    _by_slot: dict[Slot, str] = field(default_factory=dict)

    @classmethod
    def open(cls, records: Records, life_s: float, now: datetime) -> "Proposals":
        """With what waited, or was declined, before a restart."""
        opened = cls(records, timedelta(seconds=life_s))
        opened.read(now)
        return opened

    def read(self, now: datetime) -> None:
        """Know what the records say now: another host may have written them."""
        live = select(ProposalRow).where(
            ProposalRow.state.in_((WAITING, DECLINED)), ProposalRow.expires_at > now
        )
        found = self.records.readable(live.order_by(ProposalRow.at))
        known: list[tuple[ProposalRow, Slot]] = self.records.aside.understood(found, _slot)
        self._by_slot = {key: row.id for row, key in known}
        self._open = {row.id: row for row, _ in known}

    def propose(
        self, command: Command, waits_for: int, before: str | None, effect_w: float | None, now: datetime
    ) -> tuple[ProposalRow, bool]:
        """Queue a command, or find what says the same already; whether it is new."""
        known = self._known(command, now)
        if known is not None:
            return known, False
        row = ProposalRow(
            id=command.command_id,
            at=now,
            expires_at=now + self.life,
            command=pack(command),
            before=before,
            effect_w=effect_w,
            approvals_needed=waits_for + len(set(command.approved_by)),
            approved_by={who: now.isoformat() for who in command.approved_by},
            state=WAITING,
            decided_by="",
            reason="",
        )
        self._keep(row)
        self._by_slot[slot(command)] = row.id
        return row, True

    def get(self, proposal_id: str) -> ProposalRow:
        """One that waits.

        Raises:
            UnknownNameError: no such proposal.
            CommandError: it was decided already, its time is over, or it can't be read.
        """
        found = self.records.readable(select(ProposalRow).where(ProposalRow.id == proposal_id))
        rows = [row for row, _ in self.records.aside.understood(found, _slot)]
        if self.records.aside.holds(ProposalRow.__tablename__, proposal_id):
            raise said(CommandError, "refusal.proposal_unread", where=proposal_id)
        if not rows:
            raise said(UnknownNameError, "refusal.no_proposal", where=proposal_id)
        if rows[0].state != WAITING:
            state = f"refusal.state_{rows[0].state}"
            raise said(CommandError, "refusal.proposal_over", where=proposal_id, state_code=state)
        row: ProposalRow = rows[0]
        return row

    def approve(self, proposal_id: str, who: str, reason: str, now: datetime) -> tuple[ProposalRow, Command]:
        """Add one person's approval; the command carries the names of all.

        Raises:
            UnknownNameError, CommandError: no such proposal, it does not wait any more, or `who` has
                approved it already.
        """
        row = self.get(proposal_id)
        if row.expires_at <= now:
            self.settle(row, EXPIRED, "", "")
            raise said(CommandError, "refusal.proposal_expired", where=proposal_id)
        if who in row.approved_by:
            raise said(CommandError, "refusal.approved_already", where=proposal_id, who=who)
        row.approved_by = {**row.approved_by, who: now.isoformat()}
        row.reason = reason
        self._keep(row)
        life = unpack(row.command).expires_at - unpack(row.command).issued_at
        names = tuple(row.approved_by)
        return row, replace(unpack(row.command), issued_at=now, expires_at=now + life, approved_by=names)

    def settle(self, row: ProposalRow, state: str, who: str, reason: str) -> None:
        """Its last word: approved | declined | expired | done | failed."""
        row.state, row.decided_by, row.reason = state, who, reason or row.reason
        self._keep(row)

    def expire(self, now: datetime) -> list[ProposalRow]:
        """Those that nobody has decided in time."""
        over = [row for row in self._open.values() if row.expires_at <= now]
        for row in over:
            if row.state == WAITING:
                self.settle(row, EXPIRED, "", "")
            self._forget(row)
        return [row for row in over if row.state == EXPIRED]

    def waiting(self) -> list[ProposalRow]:
        """Oldest first."""
        return sorted((row for row in self._open.values() if row.state == WAITING), key=lambda row: row.at)

    def _known(self, command: Command, now: datetime) -> ProposalRow | None:
        """What waits, or was declined, for the same slot and asks for nearly the same."""
        row = self._open.get(self._by_slot.get(slot(command), ""))
        if row is None:
            return None
        over = row.expires_at <= now
        if not over and alike(unpack(row.command), command):
            return row
        if row.state == WAITING:
            self.settle(row, EXPIRED, "", "" if over else "superseded")
        self._forget(row)
        return None

    def _keep(self, row: ProposalRow) -> None:
        self.records.merge([row])
        if row.state in (WAITING, DECLINED):
            self._open[row.id] = row
        else:
            self._forget(row)

    def _forget(self, row: ProposalRow) -> None:
        self._open.pop(row.id, None)
        key = slot(unpack(row.command))
        if self._by_slot.get(key) == row.id:
            del self._by_slot[key]


def _slot(row: ProposalRow) -> Slot:
    """What it moves.

    Raises:
        ValueError, TypeError, LookupError, ConfigError: it can't be read here: not whole, or newer than we.
    """
    command = unpack(row.command)
    if command.actuator is not ActuatorClass.JOBS:
        unit_of(command.point)
    elif command.point not in VERBS:
        raise ValueError(f"unknown verb {command.point!r}")
    dict(row.approved_by)
    return slot(command)


def alike(first: Command, second: Command) -> bool:
    """Whether a person who read the one has read the other."""
    if (first.point, first.origin) != (second.point, second.origin):
        return False
    if (first.value is None) is not (second.value is None) or (first.until is None) is not (
        second.until is None
    ):
        return False
    if first.value is not None and second.value is not None:
        return abs(first.value - second.value) <= SAME_VALUE * max(abs(first.value), 1.0)
    if first.until is not None and second.until is not None:
        return abs(first.until - second.until) < SAME_UNTIL
    return True
