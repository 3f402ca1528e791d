"""Times as people type them, in the site's zone."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from igoudar.core.errors import ConfigError

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def until(word: str, now: datetime, zone: str) -> datetime:
    """The time meant by "+2h", "19:40" (the next one) or an ISO time; without an offset, the site's zone.

    Raises:
        ConfigError: for anything else.
    """
    there = now.astimezone(ZoneInfo(zone))
    if match := re.fullmatch(r"\+(\d{1,5})([mhd])", word):
        return now + timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}", word):
            return _next(there, word)
        at = datetime.fromisoformat(word)
    except ValueError as error:
        raise ConfigError(
            f"not a time: {word!r}", where="--until", fix="+90m, +2h, 19:40 or 2026-03-01T19:40"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))


def _next(there: datetime, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    at = there.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at > there else at + timedelta(days=1)
