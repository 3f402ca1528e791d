"""Slurm's JSON of many versions: numbers bare or as {set, infinite, number}, states as a word or a list."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from igoudar.core.errors import LinkError

NO_VALUE = frozenset({0xFFFE, 0xFFFFFFFE, 0xFFFFFFFFFFFFFFFE})
INFINITE = frozenset({0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF})
MOST_TEXT = 4000


class AnswerError(LinkError):
    """Slurm answered, but not in a form that is known; asking again would not help."""

    retryable = False


@dataclass(frozen=True, slots=True)
class Fields:
    """One record; `where` names it, with the version of Slurm, in every error."""

    values: Mapping[str, Any]
    where: str

    def text(self, name: str) -> str:
        """A text, "" where there is none."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._unreadable(name, value)
        return value[:MOST_TEXT]

    def number(self, name: str) -> float | None:
        """A number, infinite, or None where none is set."""
        value = self.values.get(name)
        if isinstance(value, Mapping):
            if value.get("infinite") is True:
                return math.inf
            value = value.get("number") if value.get("set") is True else None
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._unreadable(name, value)
        if value in INFINITE:
            return math.inf
        return None if value in NO_VALUE else float(value)

    def whole(self, name: str) -> int:
        """A number that must be there and finite."""
        value = self.number(name)
        if value is None or not math.isfinite(value):
            raise self._unreadable(name, self.values.get(name))
        return int(value)

    def count(self, name: str) -> int:
        """A finite number, 0 where none is set."""
        value = self.number(name)
        return int(value) if value is not None and math.isfinite(value) else 0

    def time_s(self, name: str) -> float | None:
        """A time [POSIX s]; Slurm writes 0 for none."""
        value = self.number(name)
        return value if value and math.isfinite(value) else None

    def flag(self, name: str) -> bool:
        """Whether something is so, no where nothing is said."""
        value = self.values.get(name)
        if value is None:
            return False
        if not isinstance(value, bool | int):
            raise self._unreadable(name, value)
        return bool(value)

    def words(self, name: str) -> tuple[str, ...]:
        """A word or a list of words."""
        value = self.values.get(name)
        if isinstance(value, str):
            return (value,) if value else ()
        if value is None:
            return ()
        if not isinstance(value, Sequence) or not all(isinstance(word, str) for word in value):
            raise self._unreadable(name, value)
        return tuple(value)

    def inner(self, name: str) -> "Fields":
        """A record inside this one, empty where there is none."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise self._unreadable(name, value)
        return Fields(value or {}, f"{self.where}.{name}")

    def _unreadable(self, name: str, value: object) -> AnswerError:
        return AnswerError(
            f"{name} is {_short(value)}", where=self.where, fix="this version of Slurm is not known yet"
        )


def records(text: bytes, key: str, other: str = "") -> Iterator[Fields]:
    """The records that stand under `key` (or `other`) of an answer.

    Raises:
        AnswerError: when it is not such an answer.
    """
    try:
        document = json.loads(text.decode(errors="replace"))
    except ValueError as error:
        raise AnswerError(f"not JSON ({error})", where=f"Slurm: {key}", fix="see `squeue --json`") from error
    version = slurm_version(document)
    _check_errors(document, version)
    name = key if not other or (isinstance(document, Mapping) and key in document) else other
    listed = document.get(name) if isinstance(document, Mapping) else None
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise AnswerError(f"no list {name!r}", where=f"Slurm {version}", fix="see `squeue --json`")
    for number, values in enumerate(listed):
        if not isinstance(values, Mapping):
            raise AnswerError("not a record", where=f"Slurm {version}: {name}[{number}]")
        yield Fields(values, f"Slurm {version}: {name}[{number}]")


def _check_errors(document: object, version: str) -> None:
    """22.05 prints an empty list and ends well when slurmctld is down: only `errors` tells."""
    errors = document.get("errors") if isinstance(document, Mapping) else None
    if errors:
        said = errors[0] if isinstance(errors, Sequence) else errors
        what = said.get("error") or said.get("description") if isinstance(said, Mapping) else said
        fix = "see that slurmctld runs and that `scontrol ping` answers"
        raise LinkError(f"Slurm does not answer: {_short(what)}", where=f"Slurm {version}", fix=fix)


def slurm_version(document: object) -> str:
    """The version that an answer says it comes from, "?" where it does not."""
    meta = document.get("meta") if isinstance(document, Mapping) else None
    slurm = (meta.get("slurm") or meta.get("Slurm")) if isinstance(meta, Mapping) else None
    release = slurm.get("release") if isinstance(slurm, Mapping) else None
    return _short(release).strip("'") if isinstance(release, str) else "?"


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
