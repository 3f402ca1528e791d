"""Documents of emergency and demand-response events; base units, times in UTC, text as codes."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from igoudar.control.schema import Document, Text

KindWord = Literal["shed", "cap", "import_cap", "load_target"]
StateWord = Literal["announced", "active", "returning", "done", "cancelled"]
LeverWord = Literal["battery", "caps", "jobs", "delays", "loads"]


class IntervalsView(Document):
    """Intervals of one length against the limit."""

    length_s: float
    met: int
    missed: int
    unknown: int  # a meter was silent in it
    worst_w: float  # the worst mean over the limit


class LeverView(Document):
    """What one lever takes off."""

    lever: LeverWord
    power_w: float
    count: int


class EventView(Document):
    """One event and how it stands against its target."""

    id: str
    kind: KindWord
    source: str
    who: str
    reason: str
    state: StateWord
    opened_at: datetime
    starts_at: datetime
    ends_at: datetime | None
    ended_by: str = ""
    meter: Literal["facility", "import"]
    share: float | None = None  # of a shed
    baseline_w: float | None = None
    limit_w: float
    held_w: float  # its limit now: on the way back it rises
    load_w: float | None = None  # on its meter, now
    reached_at: datetime | None = None
    time_to_target_s: float | None = None  # from the start (or the first act, if that was later)
    intervals: list[IntervalsView]
    # While it acts or returns: in use now; afterwards: the most that each gave at once.
    levers: list[LeverView]
    short_w: float = 0.0  # of the limit, that no lever covers
    deadlines_lost: list[str] = Field(default_factory=list)
    approved_by: list[str] = Field(default_factory=list)  # people of this site who stand behind it
    note: Text


class EventsView(Document):
    """All events, newest first, and what they hold together."""

    time: datetime
    zone: str
    acting: bool
    limit_w: float | None  # the strictest on the facility's meters
    import_limit_w: float | None
    target_w: float | None  # what the load is brought down to
    load_w: float | None
    import_w: float | None
    levers: list[LeverView]  # in use now
    debt_gpu_s: float  # work put off and not done yet
    debt_paid_gpu_s: float
    ramp_w_per_min: float
    events: list[EventView]


class EventPreview(Document):
    """What a request would do now; nothing was done."""

    kind: KindWord
    starts_at: datetime
    ends_at: datetime | None
    baseline_w: float | None
    limit_w: float
    load_w: float | None
    levers: list[LeverView]
    short_w: float
    deadlines_lost: list[str]
    acts: bool  # whether the mode lets the levers move
