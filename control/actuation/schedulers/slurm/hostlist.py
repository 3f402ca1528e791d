"""Slurm's short forms: `gpu[01-04,7],login` for nodes, `0-3,7,9-15:2%4` for tasks of an array. Pure."""

import re
from collections.abc import Iterator
from itertools import product

MOST = 100_000

_PIECE = re.compile(r"((?:[^,\[\]]|\[[^\]]*\])+)")
_WHOLE = re.compile(r"(?:[^\[\]]|\[[^\[\]]*\])*")
_PART = re.compile(r"\[([^\]]*)\]|([^\[\]]+)")
_RUN = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?(?::([1-9][0-9]{0,5}))?")


def nodes(text: str) -> tuple[str, ...]:
    """Names of a host list, in its order.

    Raises:
        ValueError: for a list that can't be read or is absurdly long.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:60]!r} has a bracket without a partner")
    names: list[str] = []
    for piece in _PIECE.findall(text):
        parts = [[literal] if literal else _values(run) for run, literal in _PART.findall(piece)]
        names += ["".join(values) for values in product(*parts)]
        _bounded(len(names), text)
    return tuple(names)


def tasks(text: str) -> tuple[int, int | None]:
    """How many tasks an array expression has, and how many of them may run at once (None = all).

    Raises:
        ValueError: for an expression that can't be read, or one that was cut off.
    """
    listed, _, throttle = text.partition("%")
    count = sum(len(_values(run)) for run in listed.split(",")) if listed else 0
    return count, int(throttle) if throttle else None


def _values(runs: str) -> list[str]:
    values: list[str] = []
    for run in runs.split(","):
        values += _run(run)
        _bounded(len(values), runs)
    return values


def _run(run: str) -> Iterator[str]:
    match = _RUN.fullmatch(run)
    if match is None:
        raise ValueError(f"{run!r} is not a range")
    first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
    _bounded((last - first) // step + 1, run)
    return (f"{number:0{len(match[1])}}" for number in range(first, last + 1, step))


def _bounded(count: int, text: str) -> None:
    if count > MOST:
        raise ValueError(f"{text[:60]!r} stands for more than {MOST:,} names")
