"""The hash chain of the audit: each row carries the hash of itself and of all before it. Pure."""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from igoudar.control.records.tables import ActionRow

START = "0" * 64  # what the first row follows
TEXTS = ("who", "verb", "target", "before", "after", "code", "result", "config_version")


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain: how many rows there are up to here, and the hash of the last."""

    number: int
    hash: str


FIRST = Link(0, START)


@dataclass(frozen=True, slots=True)
class Torn:
    """A row that can't be read; `hash` as far as it is known, else empty."""

    number: int
    hash: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the chain shows; `code` of the catalogue's area `audit`."""

    code: str
    params: Mapping[str, Any]


def canonical(row: ActionRow) -> bytes:
    """What is hashed: one form for one content, on every machine and for ever."""
    content = {name: getattr(row, name) for name in TEXTS}
    content |= {"at": row.at.astimezone(UTC).isoformat(timespec="microseconds"), "number": row.id}
    content |= {"params": row.params, "previous": row.previous}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def digest(row: ActionRow) -> str:
    """The row's hash."""
    return hashlib.sha256(canonical(row)).hexdigest()


def append(rows: Iterable[ActionRow], last: Link) -> Link:
    """Number and hash `rows` so that they follow `last`; the new end."""
    for row in rows:
        _clean(row)
        row.id, row.previous = last.number + 1, last.hash
        row.hash = digest(row)
        last = Link(row.id, row.hash)
    return last


def check(rows: Iterable[ActionRow | Torn], last: Link = FIRST) -> Iterator[Problem | Link]:
    """Every link of `rows`, oldest first, and what is wrong with it.

    What follows a row whose hash is not known can't be held against it.
    """
    for row in rows:
        number = row.number if isinstance(row, Torn) else row.id
        if number != last.number + 1:
            yield Problem("audit.missing", {"first": last.number + 1, "last": number - 1})
        elif not isinstance(row, Torn) and last.hash and row.previous != last.hash:
            yield Problem("audit.broken", {"number": number})
        yield from _wrong(row)
        last = Link(number, row.hash)
        yield last


def _wrong(row: ActionRow | Torn) -> Iterator[Problem]:
    """What is wrong with one row alone."""
    if isinstance(row, Torn):
        params = {"number": row.number, "path": row.where, "why": row.why}
        yield Problem("audit.unreadable", params)
    elif not _as_recorded(row):
        yield Problem("audit.edited", {"number": row.id, "at": {"time": row.at.isoformat()}})


def _as_recorded(row: ActionRow) -> bool:
    try:
        return row.hash == digest(row)
    except (ValueError, TypeError):
        return False  # a content that nobody could have recorded: no number, bytes


def _clean(row: ActionRow) -> None:
    """What comes back from any database as it went in: names from outside may hold anything."""
    for name in TEXTS:
        value = getattr(row, name)
        setattr(row, name, None if value is None else _text(value))
    row.params = {_text(key): _plain(value) for key, value in row.params.items()}


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, Mapping):
        return {_text(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return _text(value)


def _text(value: object) -> str:
    """Text without what a database may refuse: NUL, and halves of characters."""
    return str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
