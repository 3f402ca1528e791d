"""Versions of the state database and the way from each to the next, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.orm import Session

from igoudar.control.records import safety_tables  # noqa: F401 - create_all must know its tables
from igoudar.control.records.chain import FIRST, append
from igoudar.control.records.own_tables import HeadRow, LeaseRow
from igoudar.control.records.tables import ActionRow, Base
from igoudar.core.errors import StoreError

LOCK = 0x1607DA5  # of PostgreSQL's advisory locks: one migration at a time


def _create(connection: Connection) -> None:
    Base.metadata.create_all(connection)


def _chain(connection: Connection) -> None:
    """Every action so far becomes a link of the chain, in the order in which they were recorded."""
    _create(connection)
    known = {column["name"] for column in inspect(connection).get_columns("actions")}
    for name in ("previous", "hash"):
        if name not in known:
            connection.execute(text(f"ALTER TABLE actions ADD COLUMN {name} VARCHAR NOT NULL DEFAULT ''"))
    with Session(connection, join_transaction_mode="create_savepoint") as session, session.begin():
        end = append(session.scalars(select(ActionRow).order_by(ActionRow.id)).all(), FIRST)
        session.merge(HeadRow(id=1, number=end.number, hash=end.hash))
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        session.merge(LeaseRow(id=1, holder="", epoch=0, deadline=long_ago))
    connection.execute(text("CREATE UNIQUE INDEX IF NOT EXISTS actions_follow ON actions (previous)"))


# The second adds what acts on the plant, the third chains the audit, the fourth tells hands-off to the other
# host; whatever exists is left as it is.
MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_create, _create, _chain, _create)


def migrate(connection: Connection, where: str) -> None:
    """Bring the database to the newest version, step by step; others wait meanwhile.

    Raises:
        StoreError: when a newer igoudar wrote it.
    """
    if _version(connection) < len(MIGRATIONS):
        _exclude_others(connection)
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise StoreError(
            f"schema {version} is newer than this igoudar knows ({len(MIGRATIONS)})",
            where=where,
            fix="update igoudar, or restore a backup made by this version",
        )
    for number in range(version, len(MIGRATIONS)):
        MIGRATIONS[number](connection)
        _set_version(connection, number + 1)


def current(connection: Connection) -> bool:
    """Whether the database is as this igoudar wants it."""
    return _version(connection) == len(MIGRATIONS)


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _exclude_others(connection: Connection) -> None:
    if _is_sqlite(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _version(connection: Connection) -> int:
    if _is_sqlite(connection):
        return int(connection.execute(text("PRAGMA user_version")).scalar_one())
    if not inspect(connection).has_table("schema_version"):
        return 0
    return int(connection.execute(text("SELECT version FROM schema_version")).scalar_one())


def _set_version(connection: Connection, version: int) -> None:
    if _is_sqlite(connection):
        connection.execute(text(f"PRAGMA user_version = {version}"))
        return
    connection.execute(text("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"))
    connection.execute(text("DELETE FROM schema_version"))
    connection.execute(text("INSERT INTO schema_version VALUES (:version)"), {"version": version})
