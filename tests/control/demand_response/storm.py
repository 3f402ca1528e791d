"""Events by chance, one after the other and now and then two at once, on a site in virtual time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from random import Random

from tests.control.demand_response.rig import Rig

from igoudar.control.demand_response.event import Event, EventState
from igoudar.control.demand_response.request import EventKind, EventRequest

OVERLAP, CANCELLED = 0.15, 0.1  # of the events meet another one, are ended early
OVER = (EventState.DONE, EventState.CANCELLED)


@dataclass(frozen=True)
class Line:
    """One event's account."""

    event: Event
    wanted_w: float  # less than the load at its opening
    paused: int
    truth_over_w: float  # worst true minute over the limit, from the plant's own counters
    rise_w_per_min: float  # fastest rise of a minute's mean on the way back
    owed_gpu_s: float  # work put off, while it ran
    short_w: float  # the most that no lever covered

    @property
    def kept(self) -> bool:
        return self.event.minutes.missed == self.event.quarters.missed == 0


async def storm(site: Rig, count: int, seed: int, longest_min: float) -> list[Line]:
    """Run `count` events; each is over before the next but for those that overlap."""
    draw, lines = Random(seed), list[Line]()  # noqa: S311 - a storm to be repeated, no secret
    while len(lines) < count:
        names = [site.open(_request(site, draw, longest_min))]
        marks = len(site.facility_wh)
        if draw.random() < OVERLAP and len(lines) + 1 < count:
            await site.run(60.0 * draw.uniform(1.0, longest_min / 2.0))
            names.append(site.open(_request(site, draw, longest_min)))
        if draw.random() < CANCELLED:
            await site.run(60.0 * draw.uniform(1.0, longest_min / 2.0))
            _cancel(site, names[-1])
        lines += await _ended(site, names, marks)
        await site.run(600.0)
    return lines


def _request(site: Rig, draw: Random, longest_min: float) -> EventRequest:
    notice_s = draw.choice([0.0, 0.0, 30.0, 600.0])
    end = site.now + timedelta(seconds=notice_s, minutes=draw.uniform(8.0, longest_min))
    kind = draw.choice([EventKind.SHED, EventKind.SHED, EventKind.CAP, EventKind.IMPORT_CAP])
    made = {"kind": kind, "source": "operator", "who": "storm", "notice_s": notice_s, "ends_at": end}
    if kind is EventKind.SHED:
        return EventRequest(**made, share=draw.uniform(0.05, 0.25))  # type: ignore[arg-type]
    if kind is EventKind.CAP:
        return EventRequest(**made, limit_w=site.load_w * draw.uniform(0.75, 0.97))  # type: ignore[arg-type]
    return EventRequest(**made, limit_w=max(1e6, site.plant.grid_w - draw.uniform(0.0, 5e6)))  # type: ignore[arg-type]


def _cancel(site: Rig, name: str) -> None:
    if site.event(name).state in (EventState.ANNOUNCED, EventState.ACTIVE):
        site.room.cancel(name, "storm")


async def _ended(site: Rig, names: Sequence[str], marks: int) -> list[Line]:
    paused, owed, short = 0, 0.0, dict.fromkeys(names, 0.0)
    start_w = site.load_w
    while any(site.event(name).state not in OVER for name in names):
        await site.run(60.0)
        paused = max(paused, len(site.room.memory.paused))
        owed = max(owed, site.room.memory.debts.rest_gpu_s)
        short = {name: max(short_w, site.event(name).short_w) for name, short_w in short.items()}
    return [_line(site, site.event(name), start_w, paused, owed, short[name], marks) for name in names]


def _line(
    site: Rig, event: Event, start_w: float, paused: int, owed: float, short_w: float, marks: int
) -> Line:
    first = max(0, marks - 1)
    minutes = _means(site.facility_wh[first:])
    wanted_w = 0.0 if event.on_import else max(0.0, start_w - event.limit_w)
    limited = _means(site.import_wh[first:]) if event.on_import else minutes
    over_w, rise = _truth_over_w(site, event, limited), _rise(event, minutes)
    return Line(event, wanted_w, paused, over_w, rise, owed, max(short_w, event.short_w))


def _means(marks: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """(end of the minute, its mean power) for every whole minute, from true energies every 5 s."""
    by_time = dict(marks)
    ends = [at for at, _ in marks if at % 60.0 == 0.0 and at - 60.0 in by_time]
    return [(end_s, (by_time[end_s] - by_time[end_s - 60.0]) * 60.0) for end_s in ends]


def _truth_over_w(site: Rig, event: Event, minutes: Sequence[tuple[float, float]]) -> float:
    if event.minutes.met == 0:
        return 0.0
    first_s = max(event.starts_at, event.act_from + timedelta(seconds=site.room.rules.response_s)).timestamp()
    last_s = (event.back_from_at or event.starts_at).timestamp()
    inside = [mean_w for end_s, mean_w in minutes if first_s <= end_s - 60.0 and end_s <= last_s]
    return max((mean_w - event.limit_w for mean_w in inside), default=0.0)


def _rise(event: Event, minutes: Sequence[tuple[float, float]]) -> float:
    if event.back_from_at is None:
        return 0.0
    back = [mean_w for end_s, mean_w in minutes if end_s - 60.0 >= event.back_from_at.timestamp()]
    return max((after - before for before, after in pairwise(back)), default=0.0)
