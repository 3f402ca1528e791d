"""Versions of the state database and the way from each to the next."""

from collections.abc import Callable

from sqlalchemy import Connection, text

from igoudar.control.records import safety_tables  # noqa: F401 - create_all must know its tables
from igoudar.control.records.tables import Base
from igoudar.core.errors import StoreError


def _create(connection: Connection) -> None:
    Base.metadata.create_all(connection)


# The second adds what acts on the plant; whatever exists already is left as it is.
MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_create, _create)


def migrate(connection: Connection, where: str) -> None:
    """Bring the database to the newest version, step by step.

    Raises:
        StoreError: when a newer igoudar wrote it.
    """
    version = connection.execute(text("PRAGMA user_version")).scalar_one()
    if version > len(MIGRATIONS):
        raise StoreError(
            f"schema {version} is newer than this igoudar knows ({len(MIGRATIONS)})",
            where=where,
            fix="update igoudar, or restore a backup made by this version",
        )
    for number in range(version, len(MIGRATIONS)):
        MIGRATIONS[number](connection)
        connection.execute(text(f"PRAGMA user_version = {number + 1}"))
