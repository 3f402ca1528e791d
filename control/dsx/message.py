"""A CloudEvent as DSX Flex sends it: parsed strictly, trusted for nothing. Pure.

Source: CloudEvents 1.0.2 (structured JSON), W3C Trace Context, NVIDIA DSX Flex 1.7.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from igoudar.control.dsx.refusal import RefusedError

SET_TARGET = "grid.loadtarget.set.v1"
LARGEST = 64 * 1024
LONGEST_ID = 200
TRACE = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Message:
    """One event; `data` is still sealed."""

    event_id: str
    kind: str
    source: str
    at: datetime
    trace: str
    correlation: str
    data: object


def source_of(identifier: str) -> str:
    """The source that a grid-side publisher for this site gives itself."""
    return f"//grid/v1/isv/{identifier}"


def target_topic(identifier: str) -> str:
    """Where targets arrive."""
    return f"grid/v1/isv/{identifier}/loadtarget/set"


def parse(raw: bytes, identifier: str) -> Message:
    """The message of a target's topic.

    Raises:
        RefusedError: malformed, foreign_source.
    """
    document = _object(raw)
    if document.get("specversion") != "1.0":
        raise _malformed("specversion is not 1.0")
    if document.get("type") != SET_TARGET or document.get("subject") != "loadtarget":
        raise _malformed("no load target")
    if document.get("source") != source_of(identifier):
        raise RefusedError("foreign_source", "it comes from another source than this site's grid")
    return Message(
        event_id=_text(document, "id", LONGEST_ID),
        kind=SET_TARGET,
        source=source_of(identifier),
        at=instant(document.get("time"), "time"),
        trace=_matching(document, "traceparent"),
        correlation=_uuid4(document),
        data=document.get("data"),
    )


def _object(raw: bytes) -> Mapping[str, Any]:
    if len(raw) > LARGEST:
        raise _malformed(f"more than {LARGEST} bytes")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _malformed("no JSON") from error
    if not isinstance(document, dict):
        raise _malformed("no JSON object")
    return document


def _text(document: Mapping[str, Any], key: str, longest: int) -> str:
    found = document.get(key)
    if not isinstance(found, str) or not 0 < len(found) <= longest or not found.isprintable():
        raise _malformed(f"{key} is no plain text")
    return found


def _matching(document: Mapping[str, Any], key: str) -> str:
    found = _text(document, key, LONGEST_ID)
    if TRACE.fullmatch(found) is None:
        raise _malformed(f"{key} is no W3C trace context")
    return found


def _uuid4(document: Mapping[str, Any]) -> str:
    found = _text(document, "correlationid", LONGEST_ID)
    try:
        parsed = uuid.UUID(found)
    except ValueError as error:
        raise _malformed("correlationid is no UUID") from error
    if parsed.version != 4:
        raise _malformed("correlationid is no UUID of version 4")
    return str(parsed)


def instant(value: object, key: str) -> datetime:
    """An RFC 3339 time with its offset.

    Raises:
        RefusedError: malformed.
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _malformed(f"{key} is no time with an offset")
    return found


def _malformed(what: str) -> RefusedError:
    return RefusedError("malformed", what)
