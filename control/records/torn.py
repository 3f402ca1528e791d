"""The chain of an audit of which some rows can't be read: those are named, and all others looked at."""

from collections.abc import Iterator

from sqlalchemy import select

from igoudar.control.records.chain import Torn
from igoudar.control.records.state import PART, Records
from igoudar.control.records.tables import ActionRow
from igoudar.core.errors import StoreBusyError, StoreError

WORDS = 200  # characters of a reason


def links(records: Records) -> Iterator[ActionRow | Torn]:
    """Every row, oldest first; the part that one of them stops is read row by row.

    Raises:
        StoreError: the database can't be read.
    """
    last = 0
    while True:
        try:
            for row in records.links(last):
                last = row.id
                yield row
            return
        except StoreBusyError:
            raise
        except StoreError:
            numbers = _numbers(records, last)
            if not numbers:
                raise  # it is not a row that is at fault
        for number in numbers:
            last = number
            yield _one(records, number)


def _numbers(records: Records, after: int) -> list[int]:
    query = select(ActionRow.id).where(ActionRow.id > after).order_by(ActionRow.id).limit(PART)
    found: list[int] = records.rows(query)
    return found


def _one(records: Records, number: int) -> ActionRow | Torn:
    try:
        rows: list[ActionRow] = records.rows(select(ActionRow).where(ActionRow.id == number))
    except StoreBusyError:
        raise
    except StoreError as error:
        return Torn(number, _hash(records, number), records.where, _why(error))
    return rows[0]


def _why(error: BaseException) -> str:
    """What was wrong first, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:WORDS]


def _hash(records: Records, number: int) -> str:
    """What a row that can't be read as a whole says it is; empty where that can't be read either."""
    try:
        return str(records.rows(select(ActionRow.hash).where(ActionRow.id == number))[0])
    except StoreBusyError:
        raise
    except StoreError:
        return ""
