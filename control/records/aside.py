"""Rows that can't be read: named once, left as they are, and not acted upon; all others are used.

Where it would be unsafe to do as if a row were not there, its key is enough for another to stand for it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import select

from igoudar.control.records.tables import Base
from igoudar.core.errors import IgoudarError, StoreBusyError, StoreError

LOG = logging.getLogger(__name__)

# What a damaged document, or the words of a newer igoudar, come to when they are read.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, IgoudarError)
NO_KEY = "restore the newest backup (`igoudar restore`), or delete that row and see to what it was by hand"
Meaning = TypeVar("Meaning")
Read = Callable[[Any], list[Any]]
StandIn = Callable[..., Base]
"""From a row's key to what stands for it."""


@dataclass(frozen=True, slots=True)
class Unread:
    """One row that nobody here can read."""

    table: str
    key: str
    why: str


@dataclass(slots=True)
class Aside:
    """What was set aside so far, and what of it no person has been told yet."""

    _known: dict[tuple[str, str], Unread] = field(default_factory=dict)
    _untold: list[Unread] = field(default_factory=list)

    def readable(self, rows: Read, query: Any, stand_in: StandIn | None = None) -> list[Any]:
        """The rows of a query over one table; where one can't be read, each is asked for by itself.

        Raises:
            StoreError: none can be, or the key of one can't.
        """
        try:
            return _typed(rows(query))
        except StoreBusyError:
            raise
        except (StoreError, TypeError):
            return list(self._one_by_one(rows, query, stand_in))

    def understood(
        self, rows: Iterable[Base], meaning: Callable[[Any], Meaning]
    ) -> list[tuple[Any, Meaning]]:
        """The rows that mean something, each with what it means."""
        found = []
        for row in rows:
            try:
                found.append((row, meaning(row)))
            except UNREADABLE as error:
                self.note(row, error)
        return found

    def note(self, row: Base, error: Exception) -> None:
        """A row whose words are not known."""
        key = [getattr(row, column.name) for column in row.__table__.primary_key]
        self._put(row.__tablename__, key, error)

    def holds(self, table: str, key: str) -> bool:
        """Whether a row was set aside."""
        return (table, key) in self._known

    def told(self) -> list[Unread]:
        """What nobody was told before; from here on somebody was."""
        told, self._untold = self._untold, []
        return told

    def _one_by_one(self, rows: Read, query: Any, stand_in: StandIn | None) -> Iterator[Any]:
        model = query.column_descriptions[0]["entity"]
        columns = list(model.__table__.primary_key)
        for key in _keys(rows, query, columns, typed=stand_in is not None):
            alone = select(model).where(*(column == one for column, one in zip(columns, key, strict=True)))
            try:
                yield from _typed(rows(alone))
            except StoreBusyError:
                raise
            except (StoreError, TypeError) as error:
                self._put(model.__tablename__, key, error)
                if stand_in:
                    yield stand_in(*key)

    def _put(self, table: str, key: Sequence[object], error: Exception) -> None:
        found = Unread(table, " ".join(map(str, key)), _why(error))
        if (table, found.key) in self._known:
            return
        self._known[table, found.key] = found
        self._untold.append(found)
        LOG.error(
            "row %s of %s can't be read (%s): it stays as it is, nothing is done in its name",
            found.key,
            table,
            found.why,
        )


def _keys(rows: Read, query: Any, columns: Sequence[Any], *, typed: bool) -> Iterator[tuple[Any, ...]]:
    """The keys of a query's rows, column after column; `typed`: each of its column's type."""
    first, *others = columns
    for one in _once(rows, query, first):
        if typed and not _fits(first, one):
            raise _no_key(first, f"{first.name} is {one!r:.40}", first.table.name)
        rest = _keys(rows, query.where(first == one), others, typed=typed) if others else [()]
        yield from ((one, *more) for more in rest)


def _once(rows: Read, query: Any, column: Any) -> Iterable[Any]:
    try:
        return dict.fromkeys(rows(query.with_only_columns(column)))
    except StoreBusyError:
        raise
    except StoreError as error:
        raise _no_key(column, error.what, error.where) from error


def _no_key(column: Any, why: str, where: str) -> StoreError:
    what = f"not even the key of a row of {column.table.name} can be read ({why})"
    return StoreError(what, where=where, fix=NO_KEY)


def _typed(rows: list[Any]) -> list[Any]:
    """SQLite keeps what it is given, whatever the column.

    Raises:
        TypeError: a value is not of its column's type.
    """
    for row in rows:
        for column in row.__table__.columns:
            value = getattr(row, column.name)
            if not _fits(column, value):
                raise TypeError(f"{column.name} is {value!r:.40}")
    return rows


def _fits(column: Any, value: object) -> bool:
    return (column.nullable and value is None) or isinstance(value, column.type.python_type)


@contextmanager
def decoded(where: str) -> Iterator[None]:
    """A stored value that can't be read is the store's fault, not ours.

    Raises:
        StoreError: in place of what the reading raised.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        fix = "restore a backup, or ask again for what it was"
        raise StoreError(f"a stored value can't be read ({error})", where=where, fix=fix) from error


def _why(error: Exception) -> str:
    """In one line: validators write several."""
    text = error.what if isinstance(error, IgoudarError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:200]
