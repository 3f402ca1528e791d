"""Every outcome as a line of the audit: what was done always, what was kept back once."""

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.collectors.results import Rejected, Result
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.rules import WHOLE_SITE
from igoudar.control.actuation.guard.view import Slot, slot
from igoudar.control.actuation.memory import detail
from igoudar.control.actuation.proposals import alike
from igoudar.control.actuation.sight import new, shown
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ActionRow
from igoudar.control.text import text
from igoudar.core.errors import StoreError

LOG = logging.getLogger(__name__)

REMEMBERED = 20_000  # slots of which the last word is known
UNKEPT = 10_000  # lines that the records refused and that are tried again
AT_ONCE = 16  # lines kept together: each time the disk is waited for
# The loop asks again by itself, so these say nothing new.
QUIET = frozenset({f"rejected: {reason}" for reason in ("unchanged", "too_soon", "backing_off", "settling")})
PEOPLE = (Origin.OVERRIDE, Origin.OPERATOR)
WORDS = {"observe": "observed", "proposed": "proposed"}
CONTROL = "control"


@dataclass(slots=True)
class Chronicle:
    """Writes to the records; remembers what it has told of each slot."""

    records: Records
    zone: str
    config_version: str
    _told: OrderedDict[Slot, tuple[str, Command]] = field(default_factory=OrderedDict)
    _rows: list[ActionRow] = field(default_factory=list)
    _lost: int = 0  # lines that were too many to wait

    def note(self, command: Command, word: str, before: str | None, now: datetime, *, done: bool) -> None:
        """One line; what a link carried is always told, what the loop repeats or renews only once."""
        setpoint = command.actuator is not ActuatorClass.JOBS and word == "done"
        renews = setpoint or command.point in WHOLE_SITE
        if (renews or not done) and not self._new(command, word):
            return
        if done and not renews:
            self._told.pop(slot(command), None)
        self._rows.append(self.row(command, word, before, now))
        if len(self._rows) >= AT_ONCE and not self.records.refused:
            self.flush()

    def flush(self) -> None:
        """Keep what was told so far; what the records refuse waits here, and is tried again with the next."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            self.records.add([*self._gap(rows[0].at), *rows])
        except StoreError as error:
            self._wait(rows, error)
        else:
            self.records.refused, self._lost = "", 0

    def _wait(self, rows: Sequence[ActionRow], error: StoreError) -> None:
        """Hold back what was refused: the newest of it, and the number of the others."""
        if not self.records.refused:
            LOG.error("the audit takes no lines, they wait in memory: %s", error)
        self.records.refused = error.what
        waiting = [*rows, *self._rows]
        self._lost += max(0, len(waiting) - UNKEPT)
        self._rows = waiting[-UNKEPT:]

    def _gap(self, at: datetime) -> Iterator[ActionRow]:
        """Where lines are missing, a line that says how many."""
        if self._lost:
            lost = {"lost": self._lost}
            yield self._said(at, CONTROL, "lose", "audit", None, "audit.lines_lost", lost, None, "lost")

    def say(
        self,
        at: datetime,
        who: str,
        verb: str,
        target: str,
        after: str | None,
        code: str,
        params: Mapping[str, object] | None = None,
        before: str | None = None,
        result: str = "done",
    ) -> None:
        """One line about something that is no command: a mode, an end of time, hands off."""
        self._rows.append(self._said(at, who, verb, target, after, code, params or {}, before, result))

    def _said(
        self,
        at: datetime,
        who: str,
        verb: str,
        target: str,
        after: str | None,
        code: str,
        params: Mapping[str, object],
        before: str | None,
        result: str,
    ) -> ActionRow:
        reason = text(code, self.zone, **params)
        return ActionRow(
            at=at,
            who=who,
            verb=verb,
            target=target,
            before=before,
            after=after,
            code=reason.code,
            params=reason.params,
            result=result,
            config_version=self.config_version,
        )

    def line(self, command: Command, result: Result, before: str | None, now: datetime) -> ActionRow:
        """The line of a command as it was kept; while the records take none, as it will be."""
        try:
            kept = self.records.actions(limit=1, target=command.target)
        except StoreError:
            kept = []
        if kept and kept[0].params.get("command_id") == command.command_id:
            return kept[0]
        return self.row(command, word_of(result), before, now)

    def row(self, command: Command, word: str, before: str | None, now: datetime) -> ActionRow:
        """The line itself."""
        reason = text(command.code, self.zone, **command.params)
        facts = {
            "command_id": command.command_id,
            "origin": command.origin.value,
            "actuator": command.actuator.value,
            "plan_version": command.plan_version,
            "approved_by": list(command.approved_by),
            "expires_at": command.expires_at.isoformat(),
        }
        return ActionRow(
            at=now,
            who=command.who,
            verb=str(command.params.get("verb", command.point)),
            target=command.target,
            before=before,
            after=shown(new(command)),
            code=reason.code,
            params={**reason.params, **facts},
            result=word,
            config_version=command.config_version or self.config_version,
        )

    def _new(self, command: Command, word: str) -> bool:
        if command.who != CONTROL and command.origin in PEOPLE:
            return True
        if word in QUIET:
            return False
        key = slot(command)
        told = self._told.get(key)
        self._told[key] = (word, command)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return told is None or _bare(told[0]) != _bare(word) or not alike(told[1], command)


def _bare(word: str) -> str:
    """A result without the figures in its brackets, which change from cycle to cycle."""
    return word.partition(" (")[0]


def word_of(result: Result) -> str:
    """The result in one word or a few."""
    reason = result.reason if isinstance(result, Rejected) else ""
    return WORDS.get(reason) or detail(result)
