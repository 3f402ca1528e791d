"""JSON by pointer (RFC 6901): what a Redfish property holds, and the document that changes it; pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from igoudar.collectors import codec
from igoudar.collectors.prometheus import FOLDS
from igoudar.core.model import Point, Quality, Reason, RedfishAddress

EVERY = "*"

Json = Any


def tokens(pointer: str) -> tuple[str, ...]:
    """The steps of a pointer.

    Raises:
        ValueError: a pointer that does not begin with a slash.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} is no JSON pointer: it begins with a slash")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def found(document: Json, pointer: str) -> list[Json]:
    """What stands at a pointer; `*` stands for every element of an array or object."""
    return list(_walk(document, tokens(pointer)))


def change(pointer: str, value: Json) -> dict[str, Json]:
    """The smallest document that has `value` at `pointer`: the body of a PATCH."""
    document: Json = value
    for step in reversed(tokens(pointer)):
        document = {step: document}
    return dict(document)


def leaves(document: Json, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """Every value that is no object, with its pointer."""
    if not isinstance(document, dict):
        yield pointer, document
        return
    for key, value in document.items():
        step = str(key).replace("~", "~0").replace("/", "~1")
        yield from leaves(value, f"{pointer}/{step}")


def pruned(document: Json, pointers: Iterable[str]) -> Json:
    """Only what the pointers lead to, in its place."""
    return _pruned(document, [tokens(pointer) for pointer in pointers])


def decode(point: Point, document: Json) -> codec.Decoded:
    """A point's value in a resource; never raises, whatever stands there."""
    address = point.address
    assert isinstance(address, RedfishAddress), point.name  # noqa: S101 - the profile's protocol says so
    values = found(document, address.pointer)
    if not values:
        return None, Quality.BAD, Reason.MISSING
    if address.fold == "count":
        return codec.from_raw(point, float(len(values)))
    numbers = [number(address, value) for value in values]
    known = [one for one in numbers if one is not None]
    if None in values or not known:
        nothing = Reason.SENTINEL if None in values else Reason.MALFORMED
        return None, Quality.BAD, nothing
    if len(known) < len(numbers) or (len(known) > 1 and not address.fold):
        return None, Quality.BAD, Reason.MALFORMED
    return codec.from_raw(point, FOLDS[address.fold](known) if address.fold else known[0])


def number(address: RedfishAddress, value: Json) -> float | None:
    """The number of one property: itself, a word's, or 0 and 1; None for anything else."""
    if isinstance(value, str):
        return float(address.words[value]) if value in address.words else None
    if isinstance(value, bool | int | float):
        return _float(value)
    return None


def _float(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:  # JSON's integers have no end
        return None


def encode(point: Point, value: float) -> Json:
    """What is written for a value: a word where the property is an enumeration, else a number.

    Raises:
        ValueError: no word stands for it.
    """
    address = point.address
    assert isinstance(address, RedfishAddress), point.name  # noqa: S101 - as above
    raw = codec.to_raw(point, value)
    if address.words:
        for word, meant in address.words.items():
            if meant == raw:
                return word
        raise ValueError(f"{point.name} has no word for {value:g}")
    return round(raw) if raw == round(raw) else raw


def parsed(body: bytes) -> dict[str, Json]:
    """A resource.

    Raises:
        ValueError: the body is no JSON object.
    """
    try:
        document = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(document, dict):
        raise ValueError(f"not a JSON object: {body[:40]!r}")
    return document


def _pruned(node: Json, ways: Sequence[tuple[str, ...]]) -> Json:
    if any(not way for way in ways):
        return node
    if isinstance(node, dict):
        kept = {key: [way[1:] for way in ways if way[0] in (key, EVERY)] for key in node}
        return {key: _pruned(node[key], rest) for key, rest in kept.items() if rest}
    if isinstance(node, list):
        places = [[way[1:] for way in ways if way[0] in (str(place), EVERY)] for place in range(len(node))]
        return [_pruned(one, rest) if rest else None for one, rest in zip(node, places, strict=True)]
    return None


def _walk(node: Json, steps: tuple[str, ...]) -> Iterator[Json]:
    if not steps:
        yield node
        return
    for child in _children(node, steps[0]):
        yield from _walk(child, steps[1:])


def _children(node: Json, step: str) -> Iterator[Json]:
    if isinstance(node, dict):
        if step == EVERY:
            yield from node.values()
        elif step in node:
            yield node[step]
    elif isinstance(node, list):
        if step == EVERY:
            yield from node
        elif step.isdecimal() and step.isascii() and int(step) < len(node):
            yield node[int(step)]
