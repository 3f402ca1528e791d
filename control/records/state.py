"""The state database: opened once, written in short transactions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, delete, event, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from igoudar.control.records import schema
from igoudar.control.records.tables import (
    ActionRow,
    AlarmEventRow,
    AlarmRow,
    Base,
    ModeRow,
    NoticeRow,
    PublishedRow,
)
from igoudar.core.errors import StoreError


class Records:
    """Actions, alarms, modes, published values and notices in one SQLite file."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine, self._where = engine, where

    @classmethod
    def open(cls, path: Path) -> "Records":
        """Open or create the database at `path`, migrated to the newest schema."""
        engine = create_engine(f"sqlite:///{path}")
        event.listen(engine, "connect", _tune)
        records = cls(engine, str(path))
        try:
            with records._guarded(), engine.begin() as connection:
                schema.migrate(connection, str(path))
        except StoreError:
            engine.dispose()
            raise
        return records

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()

    def add(self, rows: Sequence[Base]) -> None:
        """Keep new rows, all or none."""
        with self._session() as session:
            session.add_all(rows)

    def merge(self, rows: Sequence[Base]) -> None:
        """Keep rows of one table, replacing those with the same key, in one statement for all."""
        if not rows:
            return
        table = type(rows[0]).__table__
        keys = {column.name for column in table.primary_key}
        columns = [column.name for column in table.columns]
        new = insert(type(rows[0]))
        upsert = new.on_conflict_do_update(
            index_elements=sorted(keys),
            set_={name: new.excluded[name] for name in columns if name not in keys},
        )
        with self._session() as session:
            session.execute(upsert, [{name: getattr(row, name) for name in columns} for row in rows])

    def actions(self, limit: int = 100, target: str | None = None) -> list[ActionRow]:
        """The newest actions first, of one target when given."""
        query = select(ActionRow).order_by(ActionRow.id.desc()).limit(limit)
        if target is not None:
            query = query.where(ActionRow.target == target)
        return self._all(query)

    def actions_of(self, who: str, limit: int) -> list[ActionRow]:
        """The newest actions of one actor first."""
        return self._all(
            select(ActionRow).where(ActionRow.who == who).order_by(ActionRow.id.desc()).limit(limit)
        )

    def alarms(self) -> list[AlarmRow]:
        """Every alarm ever seen, as it stands."""
        return self._all(select(AlarmRow))

    def alarm_events(self, alarm_id: str) -> list[AlarmEventRow]:
        """The steps of one alarm, oldest first."""
        query = select(AlarmEventRow).where(AlarmEventRow.alarm_id == alarm_id)
        return self._all(query.order_by(AlarmEventRow.id))

    def last_mode(self) -> ModeRow | None:
        """The latest change of mode."""
        rows: list[ModeRow] = self._all(select(ModeRow).order_by(ModeRow.id.desc()).limit(1))
        return rows[0] if rows else None

    def published(self, since: datetime) -> list[PublishedRow]:
        """Published values from `since` on, oldest first."""
        query = select(PublishedRow).where(PublishedRow.time >= since)
        return self._all(query.order_by(PublishedRow.time))

    def next_notice(self) -> int:
        """The number of the next notification."""
        with self._session() as session:
            return (session.scalar(select(func.max(NoticeRow.number))) or 0) + 1

    def open_notices(self) -> list[NoticeRow]:
        """Notices not delivered yet, oldest first."""
        return self._all(select(NoticeRow).where(NoticeRow.delivered.is_(False)).order_by(NoticeRow.id))

    def prune(self, before: datetime) -> None:
        """Forget published values older than `before`."""
        with self._session() as session:
            session.execute(delete(PublishedRow).where(PublishedRow.time < before))

    def _all(self, query: Any) -> list[Any]:
        with self._session() as session:
            return list(session.scalars(query))

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._guarded(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(
                f"the state database refused ({error.__cause__ or error})",
                where=self._where,
                fix="check free space and permissions, then `igoudar doctor`",
            ) from error


def _tune(connection: Any, _record: Any) -> None:
    """WAL lets readers in while we write; a lost power cut costs at most the last transaction."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA busy_timeout = 5000")
