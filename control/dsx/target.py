"""What a target's signed payload asks for. Pure. Source: NVIDIA DSX Flex 1.7."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from igoudar.control.dsx.message import instant
from igoudar.control.dsx.refusal import RefusedError

UNITS_W = {"watt": 1.0, "kilowatt": 1e3, "megawatt": 1e6}
MOST_FEEDS = 100


@dataclass(frozen=True, slots=True)
class Target:
    """A load not to be passed; wall time. `limit_w` None = back to the default."""

    limit_w: float | None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    feeds: tuple[str, ...] = ()
    strategy: str = ""


def target(payload: Mapping[str, Any]) -> Target:
    """The target of a payload.

    Raises:
        RefusedError: malformed.
    """
    interval = payload.get("interval")
    if interval is not None and not isinstance(interval, dict):
        raise RefusedError("malformed", "interval is no object")
    start, end = (_time(interval or {}, key) for key in ("start_time", "end_time"))
    if start is not None and end is not None and end <= start:
        raise RefusedError("malformed", "the interval ends before it begins")
    if "load" not in payload:
        raise RefusedError("malformed", "no load is given; null means back to the default")
    return Target(_power_w(payload["load"]), start, end, _feeds(payload), _strategy(payload))


def concerns(asked: Target, feeds: Sequence[str]) -> bool:
    """Whether a target is meant for a site with these feed tags; one without tags is meant for all."""
    return not asked.feeds or not feeds or not set(asked.feeds).isdisjoint(feeds)


def _time(interval: Mapping[str, Any], key: str) -> datetime | None:
    return None if interval.get(key) is None else instant(interval[key], key)


def _power_w(load: object) -> float | None:
    if load is None:
        return None
    value, unit = (load.get("value"), load.get("unit")) if isinstance(load, dict) else (None, None)
    if isinstance(value, bool) or not isinstance(value, int | float) or unit not in UNITS_W:
        raise RefusedError("malformed", "load is no {value, unit: watt | kilowatt | megawatt}")
    power_w = float(value) * UNITS_W[unit]
    if not isfinite(power_w) or power_w < 0:
        raise RefusedError("malformed", "a load is not negative")
    return power_w


def _feeds(payload: Mapping[str, Any]) -> tuple[str, ...]:
    tags = payload.get("feed_tags") or []
    if not isinstance(tags, list) or len(tags) > MOST_FEEDS or not all(isinstance(tag, str) for tag in tags):
        raise RefusedError("malformed", "feed_tags is no list of texts")
    return tuple(tags)


def _strategy(payload: Mapping[str, Any]) -> str:
    found = payload.get("strategy") or ""
    if not isinstance(found, str) or len(found) > MOST_FEEDS or not found.isprintable():
        raise RefusedError("malformed", "strategy is no plain text")
    return found
