"""The site's end of DSX Flex: takes targets, opens events, says how the power stands."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from igoudar.control.demand_response.event import Event
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.dsx.breach import Breach, BreachState, Patience, watched
from igoudar.control.dsx.message import Message, parse, target_topic
from igoudar.control.dsx.outgoing import (
    ALERT,
    ENFORCEMENT,
    STATUS,
    Outgoing,
    Standing,
    Thread,
    message,
    power,
)
from igoudar.control.dsx.outgoing import status as status_payload
from igoudar.control.dsx.refusal import RefusedError
from igoudar.control.dsx.seal import Seal, Signer
from igoudar.control.dsx.seen import Seen
from igoudar.control.dsx.target import Target, concerns, target
from igoudar.control.lease import NotWriterError
from igoudar.control.operator import Note
from igoudar.control.rate import Rate
from igoudar.core.clock import Clock, site_time
from igoudar.core.errors import CommandError
from igoudar.core.model_dsx import Dsx

LOG = logging.getLogger(__name__)

SOURCE, WHO, SLOT = "dsx", "dsx", "target"
NOTED_PER_S, NOTED_AT_ONCE = 0.1, 50  # refusals in the audit


class Desk(Protocol):
    """Where events are opened and ended, and what the meters say of them."""

    def open(self, request: EventRequest) -> Event:
        """Take a request."""
        ...

    def withdraw(self, source: str, slot: str, who: str) -> int:
        """End the open events of a slot; how many there were."""
        ...

    def load_w(self) -> float | None:
        """Facility load now, None when it is not known."""
        ...

    def held(self, source: str) -> float | None:
        """The strictest limit that a source's active events set [W], None without one."""
        ...


@dataclass(slots=True)
class Flex:
    """Pure but for its desk and what it remembers of seen messages.

    Args:
        dsx: The site's settings.
        desk: Opens events.
        seal: Opens signed payloads.
        signer: Seals ours, None = they go unsigned.
        seen: Messages that were taken.
        clock: Site time.
        note: Audits: who, verb, target, before, after, reason, at.
        wall: Wall time, UTC.
    """

    dsx: Dsx
    desk: Desk
    seal: Seal
    signer: Signer | None
    seen: Seen
    clock: Clock
    note: Note
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    patience: Patience = field(default_factory=Patience)
    thread: Thread = field(default_factory=Thread.new)
    _breach: Breach | None = None
    _noted: Rate = field(default_factory=lambda: Rate(NOTED_PER_S, NOTED_AT_ONCE))

    def take(self, topic: str, raw: bytes) -> list[Outgoing]:
        """One message; the answer says what became of it. Nothing that arrives raises.

        Raises:
            NotWriterError: it is for the writer to take, and was not: it may come again.
        """
        try:
            arrived = self._arrived(topic, raw)
        except RefusedError as error:
            self._note("refused", "", error)
            return []
        thread = Thread(arrived.correlation, arrived.trace)
        try:
            opened = self.seal.opened(arrived.data)
            asked = target(opened.payload)
            self._take(arrived, asked, "" if opened.belongs(arrived.event_id, arrived.at) else opened.digest)
        except RefusedError as error:
            self._note("refused", arrived.event_id, error)
            # Only who proved to be the grid is told why: an answer must not help a forger.
            told = error.reason not in ("not_signed", "bad_signature")
            return [self._status(Standing.REJECTED, thread, error.reason)] if told else []
        self.thread = thread
        standing = Standing.ACCEPTED if asked.limit_w is not None else Standing.DEFAULT
        return [self._status(standing, thread)]

    def _arrived(self, topic: str, raw: bytes) -> Message:
        if topic != target_topic(self.dsx.identifier):
            raise RefusedError("wrong_topic", "it came by a topic that is not ours")
        return parse(raw, self.dsx.identifier)

    def _take(self, arrived: Message, asked: Target, digest: str) -> None:
        if not concerns(asked, self.dsx.feeds):
            raise RefusedError("not_ours", "its feed tags name other feeds")
        self.seen.take(arrived.event_id, arrived.at, self.wall(), digest)
        before = self.desk.held(SOURCE)
        try:
            self._do(asked, arrived.correlation)
        except NotWriterError:
            self.seen.forget(arrived.event_id, digest)
            raise
        after = "default" if asked.limit_w is None else f"{asked.limit_w:.0f} W"
        was = "default" if before is None else f"{before:.0f} W"
        self.note(WHO, "load_target", "site", was, after, arrived.correlation, self.clock.now())

    def _do(self, asked: Target, correlation: str) -> None:
        try:
            if asked.limit_w is None:
                self.desk.withdraw(SOURCE, SLOT, WHO)
            else:
                self._open(asked, asked.limit_w, correlation)
        except NotWriterError:
            raise
        except CommandError as error:
            raise RefusedError("out_of_bounds", error.what) from error

    def _open(self, asked: Target, limit_w: float, correlation: str) -> None:
        self.desk.open(
            EventRequest(
                EventKind.LOAD_TARGET,
                SOURCE,
                WHO,
                reason=correlation,
                limit_w=limit_w,
                starts_at=self._site(asked.starts_at),
                ends_at=self._site(asked.ends_at),
                slot=SLOT,
            )
        )

    def _site(self, wall: datetime | None) -> datetime | None:
        return None if wall is None else site_time(self.clock, wall, self.wall())

    def _note(self, result: str, event_id: str, error: RefusedError) -> None:
        # Whoever may publish must not be able to fill the audit: automation stops where it is full.
        if self._noted.wait_s(WHO):
            LOG.warning("a message of [dsx] was refused: %s", error)
            return
        after = f"{result}: {error.reason}"
        self.note(WHO, "load_target", event_id or "unknown", "", after, error.what, self.clock.now())

    def report(self) -> Outgoing:
        """How the power stands now."""
        standing = Standing.DEFAULT if self.desk.held(SOURCE) is None else Standing.ACTIVE
        return self._status(standing, self.thread)

    def _status(self, standing: Standing, thread: Thread, reason: str = "") -> Outgoing:
        load_w, limit_w = self.desk.load_w(), self.desk.held(SOURCE)
        payload = status_payload(standing, load_w, limit_w, self.dsx.feeds, reason)
        return self._message(STATUS, payload, thread)

    def watch(self) -> list[Outgoing]:
        """Breaches that began, got worse or ended since the last look."""
        limit_w, load_w = self.desk.held(SOURCE), self.desk.load_w()
        self._breach, told = watched(self._breach, limit_w, load_w, self.wall(), self.patience)
        if told is None or told.state is None:
            return []
        kind = ENFORCEMENT if told.state is BreachState.ESCALATED else ALERT
        payload = {
            "breach_id": told.breach_id,
            "state": told.state.value,
            "power": power(load_w),
            "load": power(limit_w),
            "since": told.above_since.isoformat(),
        }
        return [self._message(kind, payload, self.thread)]

    def _message(self, kind: str, payload: Mapping[str, Any], thread: Thread) -> Outgoing:
        seals = self.signer.sealed if self.signer else None
        return message(self.dsx.identifier, kind, payload, self.wall(), thread, seals)
