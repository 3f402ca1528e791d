"""Hands-off across two hosts: each has its own file; the records tell the next writer of the last one's."""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from igoudar.control.records.safety_tables import HandsOffRow
from igoudar.control.records.state import Records
from igoudar.core import handsoff
from igoudar.core.errors import StoreError

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class HandsOffElsewhere:
    """Notes each change of this host's file, whoever made it, and takes up the other host's.

    Args:
        records: Of both hosts.
        state: The state folder of this one.
        host: Its name.
    """

    records: Records
    state: Path
    host: str
    _noted: bool | None = field(default=None)  # as the records have it of this host; None = not read yet

    def note(self, now: datetime, *, writer: bool) -> None:
        """Keep a change; what can't be kept now is tried again with the next look.

        When the writer lets writes through again, this ends what a host that is gone has left.
        """
        on = handsoff.is_on(self.state)
        if on == self._noted:
            return
        try:
            if self._noted is None:
                self._noted = self.host in {row.host for row in self._on()}
            if on != self._noted:
                self._keep(on, now, everywhere=writer and not on)
        except StoreError as error:
            LOG.warning("hands-off can't be told to the other host yet: %s", error)

    def adopt(self) -> None:
        """Hands off here as well, where the other host's stands: it ends here by `igoudar handsoff off`.

        Raises:
            StoreError: the records can't be read, or the file can't be written: do not act.
        """
        others = [row for row in self._on() if row.host != self.host]
        if others and not handsoff.is_on(self.state):
            first = others[0]
            handsoff.turn_on(self.state, f"{first.who} ({first.host})", first.reason)

    def _keep(self, on: bool, now: datetime, *, everywhere: bool) -> None:
        said = handsoff.read(self.state) or handsoff.HandsOff()
        hosts = {self.host} | ({row.host for row in self._on()} if everywhere else set())
        rows = [HandsOffRow(host=host, on=on, who=said.who, at=now, reason=said.why) for host in hosts]
        self.records.merge(rows)
        self._noted = on

    def _on(self) -> list[HandsOffRow]:
        rows: list[HandsOffRow] = self.records.rows(select(HandsOffRow).where(HandsOffRow.on))
        return rows
