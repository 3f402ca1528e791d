"""Patterns in site files: one written name stands for thousands.

`{01..12}`, `{a..d}` and `{a,b}` run through values; `{row:1..5}` also names them, so that other fields of the
same entry can say `{row}`. `{position/8}` is the number of the group of eight that the position falls into
(from 1), `{position%8}` its place in that group (from 1), both without leading zeros. Several variables give
their cartesian product, the last one running fastest.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from igoudar.core.errors import ConfigError
from igoudar.core.strict_toml import nearest

MOST = 200_000  # names from one pattern: a slip such as {1..999999999} must not fill the memory

_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)|(.)", re.DOTALL)
_VARIABLE = re.compile(r"(?:([a-z][a-z0-9_]*):)?(.*)", re.DOTALL)
_USE = re.compile(r"([a-z][a-z0-9_]*)(?:([/%])([1-9][0-9]{0,6}))?", re.ASCII)
_NUMBERS = re.compile(r"([0-9]{1,7})\.\.([0-9]{1,7})", re.ASCII)
_LETTERS = re.compile(r"([a-z])\.\.([a-z])|([A-Z])\.\.([A-Z])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a variable: as written, and as a number (letters and lists count from 1)."""

    text: str
    number: int


Binding = Mapping[str, Value]
Template = Callable[[Binding], str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name that declares variables; unnamed ones are kept under a number."""

    template: Template
    variables: Mapping[str, tuple[Value, ...]]

    def bindings(self) -> Iterator[dict[str, Value]]:
        """Every combination of the variables, the last one running fastest."""
        for values in product(*self.variables.values()):
            yield dict(zip(self.variables, values, strict=True))


def parse_pattern(text: str, where: str = "") -> Pattern:
    """A pattern from the text that declares its variables.

    Raises:
        ConfigError: for braces that don't match, an empty or backward range, a variable named twice, or more
            than MOST names.
    """
    variables: dict[str, tuple[Value, ...]] = {}
    pieces: list[str | Template] = []
    for inside, literal in _split(text, where):
        if literal:
            pieces.append(literal)
        elif _is_use(inside):
            pieces.append(_use(inside, variables, where))
        else:
            name = _declare(inside, variables, where)
            pieces.append(_text_of(name))
    if (count := prod(map(len, variables.values()))) > MOST:
        raise ConfigError(
            f"{text!r} stands for {count:,} names", where=where, fix=f"at most {MOST:,} are possible"
        )
    return Pattern(_join(pieces), variables)


def parse_template(text: str, names: Collection[str], where: str = "") -> Template:
    """A text that may use the variables `names`, as a function of their values.

    Raises:
        ConfigError: for braces that don't match or a variable that the entry's name does not declare.
    """
    return _join([literal or _use(inside, names, where) for inside, literal in _split(text, where)])


def expand(text: str, where: str = "") -> Iterator[str]:
    """All names that a pattern stands for.

    Raises:
        ConfigError: as `parse_pattern`.
    """
    pattern = parse_pattern(text, where)
    return map(pattern.template, pattern.bindings())


def _split(text: str, where: str) -> Iterator[tuple[str, str]]:
    for piece in _PIECE.finditer(text):
        if piece[3] is not None:
            raise ConfigError(f"a brace in {text!r} has no partner", where=where, fix="write {a..d} or {row}")
        yield piece[1] or "", piece[2] or ""


def _is_use(inside: str) -> bool:
    return _USE.fullmatch(inside) is not None


def _declare(inside: str, variables: dict[str, tuple[Value, ...]], where: str) -> str:
    match = _VARIABLE.fullmatch(inside)
    named, run = (match[1], match[2]) if match else (None, inside)
    name = named or str(len(variables))  # a digit can't be written as a name, so it can't clash
    if name in variables:
        raise ConfigError(
            f"the variable {name!r} is declared twice", where=where, fix=f"write {{{name}}} there"
        )
    variables[name] = _values(run, inside, where)
    return name


def _values(run: str, inside: str, where: str) -> tuple[Value, ...]:
    if match := _NUMBERS.fullmatch(run):
        width = len(match[1]) if match[1].startswith("0") else 1
        values = tuple(
            Value(f"{n:0{width}}", n) for n in _bounded(int(match[1]), int(match[2]), inside, where)
        )
    elif match := _LETTERS.fullmatch(run):
        first, last = (match[1], match[2]) if match[1] else (match[3], match[4])
        base = ord("a" if match[1] else "A") - 1
        values = tuple(Value(chr(n), n - base) for n in range(ord(first), ord(last) + 1))
    else:
        values = _listed(run)
    if not values:
        raise ConfigError(
            f"{{{inside}}} stands for nothing", where=where, fix="write {01..12}, {a..d} or {a,b}"
        )
    return values


def _bounded(first: int, last: int, inside: str, where: str) -> range:
    if last - first >= MOST:
        raise ConfigError(
            f"{{{inside}}} is too long a run", where=where, fix=f"at most {MOST:,} are possible"
        )
    return range(first, last + 1)


def _listed(run: str) -> tuple[Value, ...]:
    items = [item.strip() for item in run.split(",")]
    if not all(items) or len(set(items)) < len(items) or ".." in run or ":" in run:
        return ()
    return tuple(Value(item, n) for n, item in enumerate(items, 1))


def _use(inside: str, names: Collection[str], where: str) -> Template:
    match = _USE.fullmatch(inside)
    if match is None:
        raise ConfigError(
            f"{{{inside}}} can't be understood here",
            where=where,
            fix="the name declares variables; other fields write {row}, {position/8} or {position%8}",
        )
    name, operator, size = match[1], match[2], int(match[3] or 1)
    if name not in names:
        raise ConfigError(f"no variable {name!r}", where=where, fix=nearest(name, names, "variable"))
    if operator == "/":
        return lambda binding: str((binding[name].number - 1) // size + 1)
    if operator == "%":
        return lambda binding: str((binding[name].number - 1) % size + 1)
    return _text_of(name)


def _text_of(name: str) -> Template:
    return lambda binding: binding[name].text


def _constant(text: str) -> Template:
    return lambda _: text


def _join(pieces: list[str | Template]) -> Template:
    if all(isinstance(piece, str) for piece in pieces):
        return _constant("".join(str(piece) for piece in pieces))
    parts = [_constant(piece) if isinstance(piece, str) else piece for piece in pieces]
    return lambda binding: "".join([part(binding) for part in parts])
