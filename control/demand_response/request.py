"""What an event asks for, whoever asks: a person, a signed webhook, a grid operator over MQTT."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite

from igoudar.core.errors import CommandError
from igoudar.core.said import said

LONGEST = timedelta(days=31)
FARTHEST = timedelta(days=366)
MOST_W = 1e12
OPERATOR = "operator"  # the source of what people of this site ask


class EventKind(StrEnum):
    """What is limited, and how it is told."""

    SHED = "shed"  # facility load, a share less than the baseline
    CAP = "cap"  # facility load, absolute
    IMPORT_CAP = "import_cap"  # the grid meter, absolute
    LOAD_TARGET = "load_target"  # facility load, absolute, from outside


@dataclass(frozen=True, slots=True)
class EventRequest:
    """One request; site time, UTC.

    `share` is for shed (0.3 = 30 % less than the baseline), `limit_w` for the others. Without `starts_at` it
    starts after `notice_s`; without `ends_at` it holds until it is cancelled or replaced. A request with a
    `slot` ends the open event of the same source and slot.
    """

    kind: EventKind
    source: str  # operator | webhook | dsx
    who: str
    reason: str = ""
    share: float | None = None
    limit_w: float | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    notice_s: float = 0.0
    slot: str = ""

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who here stands behind it: an operator who asks has confirmed it; a signature is nobody's yes."""
        return (self.who,) if self.source == OPERATOR else ()


def starts_at(request: EventRequest, now: datetime) -> datetime:
    """When it begins; a start that is past is now."""
    return max(now, request.starts_at or now + timedelta(seconds=request.notice_s))


def check(request: EventRequest, now: datetime) -> None:
    """Refuse what can't be meant.

    Raises:
        CommandError: naming what is wrong.
    """
    if not 0.0 <= request.notice_s <= FARTHEST.total_seconds():
        raise said(CommandError, "refusal.notice", where="notice")
    _check_amount(request)
    _check_times(request, now)


def _check_amount(request: EventRequest) -> None:
    share, limit_w = request.share, request.limit_w
    if request.kind is EventKind.SHED:
        if share is None or not 0.0 < share <= 1.0 or limit_w is not None:
            raise said(CommandError, "refusal.shed_share", where="share")
    elif limit_w is None or not isfinite(limit_w) or not 0.0 <= limit_w <= MOST_W or share is not None:
        raise said(CommandError, "refusal.cap_power", where="limit_w")


def _check_times(request: EventRequest, now: datetime) -> None:
    start, end = starts_at(request, now), request.ends_at
    if start - now > FARTHEST:
        raise said(CommandError, "refusal.event_far", where="from")
    if end is not None and end <= start:
        raise said(CommandError, "refusal.event_backwards", where="to")
    if end is not None and end - start > LONGEST:
        raise said(CommandError, "refusal.event_long", where="to")
