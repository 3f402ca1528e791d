"""What the site tells the grid: the state of its power, and breaches of a target. Pure.

Source: NVIDIA DSX Flex 1.7; which further words a payload may carry is not public: ours are marked by being
beside the pinned ones (docs/dsx.md).
"""

import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

STATUS = "grid.powerstate.status.v1"
ALERT, ENFORCEMENT = "grid.breach.alert.v1", "grid.breach.enforcement.v1"
AT_LEAST_ONCE, EXACTLY_ONCE = 1, 2

Seals = Callable[[Mapping[str, Any]], str]


class Standing(StrEnum):
    """How a target stands with the site."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ACTIVE = "active"
    DEFAULT = "default"  # no target holds


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish."""

    topic: str
    qos: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Thread:
    """What ties an answer to what it answers."""

    correlation: str
    trace: str

    @classmethod
    def new(cls) -> "Thread":
        """A thread of our own."""
        return cls(str(uuid.uuid4()), f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")


def power(power_w: float | None) -> Mapping[str, Any] | None:
    """A power in the words of the schema; None stays unknown."""
    return None if power_w is None else {"value": max(0.0, power_w), "unit": "watt"}


def status(
    standing: Standing, load_w: float | None, limit_w: float | None, feeds: tuple[str, ...], reason: str = ""
) -> dict[str, Any]:
    """The payload of a state of power."""
    told: dict[str, Any] = {"state": standing.value, "power": power(load_w), "load": power(limit_w)}
    return told | ({"feed_tags": list(feeds)} if feeds else {}) | ({"reason": reason} if reason else {})


def message(
    identifier: str, kind: str, payload: Mapping[str, Any], at: datetime, thread: Thread, seals: Seals | None
) -> Outgoing:
    """A CloudEvent with its topic; `data` is sealed where the site has a key."""
    subject = "powerstate" if kind == STATUS else "breach"
    leaf = {STATUS: "status", ALERT: "alert", ENFORCEMENT: "enforcement"}[kind]
    document = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "type": kind,
        "source": f"//isv/v1/{identifier}",
        "subject": subject,
        "time": at.isoformat(),
        "datacontenttype": "application/jose" if seals else "application/json",
        "traceparent": thread.trace,
        "correlationid": thread.correlation,
        "data": seals(payload) if seals else payload,
    }
    qos = AT_LEAST_ONCE if kind == STATUS else EXACTLY_ONCE
    return Outgoing(f"grid/v1/isv/{identifier}/{subject}/{leaf}", qos, json.dumps(document).encode())
