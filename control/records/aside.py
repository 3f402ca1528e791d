"""Rows that can't be read: named once, left as they are, and not acted upon; all others are used."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import select

from igoudar.control.records.tables import Base
from igoudar.core.errors import IgoudarError, StoreBusyError, StoreError

LOG = logging.getLogger(__name__)

# What a damaged document, or the words of a newer igoudar, come to when they are read.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, IgoudarError)
Meaning = TypeVar("Meaning")
Read = Callable[[Any], list[Any]]


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

    def readable(self, rows: Read, query: Any) -> list[Any]:
        """The rows of a query over one table; where one can't be read, each is asked for by itself.

        Raises:
            StoreError: none can be.
        """
        try:
            return rows(query)
        except StoreBusyError:
            raise
        except StoreError:
            return list(self._one_by_one(rows, query))

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
        key = next(iter(row.__table__.primary_key)).name
        self._put(row.__tablename__, getattr(row, key), error)

    def holds(self, table: str, key: str) -> bool:
        """Whether a row was set aside."""
        return (table, key) in self._known

    def told(self) -> list[Unread]:
        """What nobody was told before; from here on somebody was."""
        told, self._untold = self._untold, []
        return told

    def _one_by_one(self, rows: Read, query: Any) -> Iterator[Any]:
        model = query.column_descriptions[0]["entity"]
        key = next(iter(model.__table__.primary_key))
        for one in rows(query.with_only_columns(key)):
            try:
                yield from rows(select(model).where(key == one))
            except StoreBusyError:
                raise
            except StoreError as error:
                self._put(model.__tablename__, one, error)

    def _put(self, table: str, key: object, error: Exception) -> None:
        found = Unread(table, str(key), _why(error))
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
