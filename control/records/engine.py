"""The two databases that can hold the records, and what differs between them."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as lite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from igoudar.control.records.tables import Base
from igoudar.core.errors import ConfigError

# Primary result codes of SQLite that speak of the whole file, not of a statement of ours:
# no permission, busy, locked, no memory, read only, I/O error, corrupt, full, can't open, no database.
PASSING = frozenset({3, 5, 6, 7, 8, 10, 11, 13, 14, 26})
# The same of PostgreSQL, beside its operational errors: read only (a standby), no permission, corrupt.
STANDBY, PASSING_CLASSES = ("25006", "42501"), ("XX",)
SECRETS = ("password", "sslpassword")  # parameters of an address
CONNECT_S = 5  # wall
FIX = "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE in it, readable by this user alone"


def sqlite(path: Path) -> Engine:
    """One file on this host, the default."""
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _tune)
    return engine


def address(url_file: Path) -> URL:
    """The address of a PostgreSQL, with its password, from a file.

    Raises:
        ConfigError: the file can't be read, is open to others, or holds no such address.
    """
    try:
        if url_file.stat().st_mode & 0o077:
            raise ConfigError("others can read it", where=str(url_file), fix=f"run: chmod 600 {url_file}")
        url = make_url(url_file.read_text().strip())
    except OSError as error:
        raise ConfigError(f"can't be read ({error.strerror})", where=str(url_file), fix=FIX) from error
    except ArgumentError as error:
        raise ConfigError("holds no database address", where=str(url_file), fix=FIX) from error
    if not url.drivername.startswith("postgresql"):
        raise ConfigError(f"{url.drivername} is not PostgreSQL", where=str(url_file), fix=FIX)
    return url.set(drivername="postgresql")


def postgres(url_file: Path) -> Engine:
    """A PostgreSQL whose address stands in a file.

    Raises:
        ConfigError: as `address`.
    """
    return create_engine(
        address(url_file).set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_S,
            "tcp_user_timeout": 1000 * CONNECT_S,
            "application_name": "igoudar",
        },
    )


def place(engine: Engine) -> str:
    """Where the database is, without its password."""
    return place_of(engine.url)


def place_of(url: URL) -> str:
    """The same of an address; libpq takes passwords as parameters as well."""
    return url.difference_update_query(SECRETS).render_as_string(hide_password=True)


def upsert(engine: Engine, model: type[Base]) -> Any:
    """Insert rows of a table, replacing those with the same key."""
    table = model.__table__
    keys = {column.name for column in table.primary_key}
    new: Any = lite.insert(model) if engine.dialect.name == "sqlite" else postgresql.insert(model)
    return new.on_conflict_do_update(
        index_elements=sorted(keys),
        set_={column.name: new.excluded[column.name] for column in table.columns if column.name not in keys},
    )


def passes(error: Exception) -> bool:
    """Whether the same write may succeed later: a full disk, a read-only file, a database that is away."""
    if isinstance(error, NoConnectionError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):  # without a code it is about a value: bytes that are no text
        return getattr(error.orig, "sqlite_errorcode", -1) & 0xFF in PASSING
    state = getattr(error.orig, "sqlstate", None) or ""
    return isinstance(error, OperationalError) or state in STANDBY or state[:2] in PASSING_CLASSES


def _tune(connection: Any, _record: Any) -> None:
    """WAL lets readers in while we write; each commit is on disk before the audit's anchor says so."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 5000")
