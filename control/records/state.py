"""The state database: opened once, written in short transactions."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from igoudar.control.records import anchor, engine, schema
from igoudar.control.records.anchor import Anchor
from igoudar.control.records.aside import Aside, StandIn, decoded
from igoudar.control.records.chain import Link, append
from igoudar.control.records.own_tables import HeadRow
from igoudar.control.records.tables import (
    ActionRow,
    AlarmEventRow,
    AlarmRow,
    Base,
    NoticeRow,
    PublishedRow,
)
from igoudar.core.errors import StoreBusyError, StoreError

Work = Callable[[Session], object]
Kept = tuple[Work, bool]
"""A write, and whether it belongs to the audit."""
PART = 1000  # rows of a long answer in memory at once
WAITING_MAX = 10_000  # writes kept in memory while the disk takes none


class Records:
    """Actions, alarms, modes, published values and notices in one database.

    A write that the disk (or the database's host) refuses for now waits in memory, in order, and `trouble`
    says why; it is written before the next one. A fault of ours is raised at once; who holds lines of the
    audit that were not taken notes in `refused` why, until they are.
    """

    def __init__(self, database: Engine, where: str, anchors: Sequence[Anchor] = ()) -> None:
        self._engine, self.where, self.anchors = database, where, tuple(anchors)
        self._waiting: deque[Kept] = deque()
        self._turn = threading.RLock()
        self.trouble = self.refused = ""
        self.aside = Aside()

    @classmethod
    def open(cls, path: Path, anchors: Sequence[Anchor] | None = None) -> "Records":
        """Open or create the SQLite file `path`, migrated to the newest schema; anchored beside it."""
        files = anchor.anchors(path.parent, "") if anchors is None else anchors
        return cls.of(engine.sqlite(path), str(path), files)

    @classmethod
    def of(cls, database: Engine, where: str, anchors: Sequence[Anchor] = ()) -> "Records":
        """The records in a database, migrated to the newest schema.

        Raises:
            StoreError: it can't be used, or a newer igoudar wrote it.
        """
        records = cls(database, where, anchors)
        try:
            with records._guarded(), database.begin() as connection:
                schema.migrate(connection, where)
        except StoreError:
            database.dispose()
            raise
        return records

    def head(self) -> Link:
        """The end of the audit chain."""
        row = self.rows(select(HeadRow))[0]
        return Link(row.number, row.hash)

    def link(self, number: int) -> Link | None:
        """One link of the chain."""
        rows: list[ActionRow] = self.rows(select(ActionRow).where(ActionRow.id == number))
        return Link(rows[0].id, rows[0].hash) if rows else None

    def close(self) -> None:
        """Write what waits, if the disk lets us, and release the database."""
        with self._turn:
            self._flush()
        self._engine.dispose()

    @property
    def waiting(self) -> int:
        """Writes that wait in memory for the disk."""
        return len(self._waiting)

    @property
    def engine(self) -> Engine:
        """The database itself."""
        return self._engine

    def add(self, rows: Sequence[Base]) -> None:
        """Keep new rows, all or none; actions are chained and anchored.

        Raises:
            StoreError: the rows can't be kept, or too many wait already.
        """
        actions = [row for row in rows if isinstance(row, ActionRow)]
        if actions:
            self._write(lambda session: _chained(session, rows, actions), audit=True)
        else:
            self._write(lambda session: session.add_all(rows))

    def merge(self, rows: Sequence[Base]) -> None:
        """Keep rows of one table, replacing those with the same key, in one statement for all."""
        if not rows:
            return
        table = type(rows[0]).__table__
        columns = [column.name for column in table.columns]
        upsert = engine.upsert(self._engine, type(rows[0]))
        values = [{name: getattr(row, name) for name in columns} for row in rows]
        self._write(lambda session: session.execute(upsert, values))

    def actions(
        self,
        limit: int | None = 100,
        target: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[ActionRow]:
        """The newest actions first: of one target, from `since` on, before `until`, when given."""
        query = select(ActionRow).order_by(ActionRow.id.desc()).limit(limit)
        if target is not None:
            query = query.where(ActionRow.target == target)
        if since is not None:
            query = query.where(ActionRow.at >= since)
        if until is not None:
            query = query.where(ActionRow.at < until)
        return self.readable(query)

    def links(self, after: int = 0) -> Iterator[ActionRow]:
        """The chain behind a line, oldest first, a part at a time."""
        query = select(ActionRow).where(ActionRow.id > after).order_by(ActionRow.id)
        with self._guarded(), decoded(self.where), Session(self._engine) as session:
            yield from session.scalars(query.execution_options(yield_per=PART))

    def alarms(self) -> list[AlarmRow]:
        """Every alarm ever seen, as it stands."""
        return self.readable(select(AlarmRow))

    def alarm_events(self, alarm_id: str) -> list[AlarmEventRow]:
        """The steps of one alarm, oldest first."""
        query = select(AlarmEventRow).where(AlarmEventRow.alarm_id == alarm_id)
        return self.rows(query.order_by(AlarmEventRow.id))

    def published(self, since: datetime) -> list[PublishedRow]:
        """Published values from `since` on, oldest first."""
        query = select(PublishedRow).where(PublishedRow.time >= since)
        return self.rows(query.order_by(PublishedRow.time))

    def next_notice(self) -> int:
        """The number of the next notification."""
        with self._session() as session:
            return (session.scalar(select(func.max(NoticeRow.number))) or 0) + 1

    def open_notices(self) -> list[NoticeRow]:
        """Notices not delivered yet, oldest first."""
        return self.rows(select(NoticeRow).where(NoticeRow.delivered.is_(False)).order_by(NoticeRow.id))

    def prune(self, before: datetime) -> None:
        """Forget published values older than `before`."""
        self._write(lambda session: session.execute(delete(PublishedRow).where(PublishedRow.time < before)))

    def rows(self, query: Any) -> list[Any]:
        """The rows of any other query."""
        with decoded(self.where), self._session() as session:
            return list(session.scalars(query))

    def readable(self, query: Any, stand_in: StandIn | None = None) -> list[Any]:
        """The same of one table; rows that can't be read are set aside, and `stand_in` may stand for them."""
        return self.aside.readable(self.rows, query, stand_in)

    def _write(self, work: Work, *, audit: bool = False) -> None:
        with self._turn:
            self._make_room()
            kept = (work, audit)
            self._waiting.append(kept)
            try:
                self._flush()
            except BaseException:
                # Where an earlier one was at fault: who is told "not kept" may ask again.
                with suppress(ValueError):
                    self._waiting.remove(kept)
                raise

    def _make_room(self) -> None:
        """While a disk is full for long, the audit waits longest: other writes go first, the oldest first."""
        if len(self._waiting) < WAITING_MAX:
            return
        other = next((n for n, (_, audit) in enumerate(self._waiting) if not audit), None)
        if other is None:
            raise StoreError("too many audit lines wait for the disk", where=self.where, fix="free it now")
        del self._waiting[other]

    def _flush(self) -> None:
        """Do what waits, oldest first, until the disk refuses; a write that is at fault is not kept."""
        while self._waiting:
            try:
                self._do(self._waiting[0][0])
            except StoreBusyError as error:
                self.trouble = error.what
                return
            except BaseException:
                self._waiting.popleft()
                raise
            self._waiting.popleft()
        self.trouble = ""

    def _do(self, work: Work) -> None:
        with self._session() as session:
            end = work(session)
        if isinstance(end, Link):
            anchor.note_all(self.anchors, end)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._guarded(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            kind = StoreBusyError if engine.passes(error) else StoreError
            raise kind(
                f"the state database refused ({error.__cause__ or error})",
                where=self.where,
                fix="check free space and permissions, then `igoudar doctor`",
            ) from error


def _chained(session: Session, rows: Sequence[Base], actions: Sequence[ActionRow]) -> Link:
    """The head's row is locked first: two processes never follow the same link."""
    session.execute(update(HeadRow).values(number=HeadRow.number))
    head = session.get_one(HeadRow, 1)
    end = append(actions, Link(head.number, head.hash))
    head.number, head.hash = end.number, end.hash
    session.add_all(rows)
    return end
