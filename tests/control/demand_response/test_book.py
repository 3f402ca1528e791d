from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.control.demand_response.baseline import Baseline
from igoudar.control.demand_response.book import Book
from igoudar.control.demand_response.event import EventState
from igoudar.control.demand_response.keeping import SHOWN
from igoudar.control.demand_response.levers import Sight
from igoudar.control.demand_response.limits import limit_at
from igoudar.control.demand_response.memory import Memory, Paused
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.errors import UnknownNameError
from igoudar.control.records.state import Records
from igoudar.core.errors import CommandError

T0 = datetime(2026, 3, 3, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
MW = 1e6
RAMP = 2 * MW


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records.open(tmp_path / "state.sqlite")
    yield made
    made.close()


@pytest.fixture
def book(records: Records) -> Book:
    return Book(records, lambda now: Baseline(40 * MW, 900.0))


def shed(share: float = 0.3, **more: object) -> EventRequest:
    return replace(EventRequest(EventKind.SHED, "operator", "ada", share=share, ends_at=T0 + HOUR), **more)  # type: ignore[arg-type]


def cap(limit_w: float, kind: EventKind = EventKind.CAP, **more: object) -> EventRequest:
    made = EventRequest(kind, "operator", "ada", limit_w=limit_w, ends_at=T0 + HOUR)
    return replace(made, **more)  # type: ignore[arg-type]


def seen(load_w: float, at: datetime = T0) -> Sight:
    return Sight(at, load_w, None, at)


def test_a_shed_is_a_share_of_the_last_quarter_of_an_hour(book: Book) -> None:
    event = book.take(shed(), T0, 90.0, None)
    book.advance(T0, None)
    event = book.events[event.event_id]
    assert (event.state, event.baseline_w, event.limit_w) == (EventState.ACTIVE, 40 * MW, 28 * MW)


def test_with_notice_it_acts_a_little_before_its_start(book: Book) -> None:
    event = book.take(shed(notice_s=600.0), T0, 90.0, None)
    assert event.act_from == T0 + timedelta(seconds=510)
    book.advance(T0 + timedelta(seconds=500), None)
    assert book.events[event.event_id].state is EventState.ANNOUNCED
    assert book.due_s(T0 + timedelta(seconds=500)) == 10.0


def test_of_several_events_the_strictest_holds_and_none_lifts_another(book: Book) -> None:
    book.take(cap(30 * MW), T0, 90.0, None)
    book.take(cap(35 * MW, EventKind.LOAD_TARGET, source="dsx"), T0, 90.0, None)
    book.take(cap(12 * MW, EventKind.IMPORT_CAP), T0, 90.0, None)
    book.advance(T0, None)
    limit = limit_at(book.events.values(), T0, RAMP)
    assert (limit.facility_w, limit.import_w, limit.acting) == (30 * MW, 12 * MW, True)


def test_a_second_shed_is_a_share_of_the_load_before_the_first(book: Book) -> None:
    book.take(shed(0.2), T0, 90.0, None)
    book.advance(T0, None)
    book.baseline = lambda now: Baseline(32 * MW, 900.0)
    second = book.take(shed(0.3), T0, 90.0, None)
    book.advance(T0, None)
    assert book.events[second.event_id].limit_w == pytest.approx(28 * MW)


def test_on_the_way_back_the_limit_rises_from_the_load_by_the_ramp(book: Book) -> None:
    event = book.take(cap(28 * MW), T0, 90.0, None)
    book.advance(T0, None)
    end = T0 + HOUR
    book.advance(end, seen(26 * MW, end))
    assert book.events[event.event_id].state is EventState.RETURNING
    later = limit_at(book.events.values(), end + timedelta(minutes=3), RAMP)
    assert (later.facility_w, later.acting) == (pytest.approx(32 * MW), False)


def test_an_event_that_is_replaced_ends_with_its_successor(book: Book) -> None:
    first = book.take(
        cap(30 * MW, EventKind.LOAD_TARGET, source="dsx", slot="a", ends_at=None), T0, 90.0, None
    )
    book.advance(T0, None)
    second = book.take(cap(25 * MW, EventKind.LOAD_TARGET, source="dsx", slot="a"), T0, 90.0, None)
    book.advance(T0, None)
    assert book.events[first.event_id].ended_by == second.event_id
    assert limit_at(book.events.values(), T0, RAMP).facility_w == 25 * MW


def test_cancelled_before_it_began_nothing_has_to_come_back(book: Book) -> None:
    event = book.take(shed(notice_s=600.0), T0, 90.0, None)
    assert book.cancel(event.event_id, "bob", T0, None).state is EventState.CANCELLED
    with pytest.raises(CommandError, match="cancelled already"):
        book.cancel(event.event_id, "bob", T0, None)
    with pytest.raises(UnknownNameError):
        book.cancel("event-nowhere", "bob", T0, None)


def test_events_and_what_they_moved_survive_a_restart(book: Book, records: Records) -> None:
    event = book.take(shed(), T0, 90.0, None)
    book.advance(T0, None)
    memory = Memory(paused={"a": Paused(T0, 8, 1e4, T0 + HOUR)}, at=T0)
    book.keep(memory, T0, moved=True)
    again = Book(records, book.baseline)
    assert again.restore() == memory
    assert again.events[event.event_id] == book.events[event.event_id]


def test_an_old_open_event_is_not_lost_among_newer_ones_that_are_over(book: Book, records: Records) -> None:
    first = book.take(cap(30 * MW, ends_at=None), T0, 90.0, None)
    book.advance(T0, None)
    for number in range(SHOWN + 50):
        at = T0 + timedelta(minutes=1 + number)
        book.put(replace(first, event_id=f"event-{number}", at=at, state=EventState.DONE))
    memory = Memory(caps={"shelf-1": 9e4}, at=T0)
    book.keep(memory, T0 + HOUR, moved=True)
    assert len(book.events) == SHOWN + 1
    again = Book(records, book.baseline)
    assert again.restore() == memory
    assert list(again.events) == list(book.events)
    assert [event.event_id for event in again.open] == [first.event_id]


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (shed(0.0), "share of the baseline"),
        (shed(1.2), "share of the baseline"),
        (cap(float("nan")), "a cap is a power"),
        (cap(-1.0), "a cap is a power"),
        (shed(limit_w=1.0), "share of the baseline"),
        (shed(ends_at=T0 - HOUR), "ends before it begins"),
        (shed(ends_at=T0 + 40 * 24 * HOUR), "longer than a month"),
        (shed(starts_at=T0 + 400 * 24 * HOUR, ends_at=None), "more than a year"),
        (shed(notice_s=float("nan")), "no time from now on"),
    ],
)
def test_what_cannot_be_meant_is_refused(book: Book, request_: EventRequest, what: str) -> None:
    with pytest.raises(CommandError, match=what):
        book.take(request_, T0, 90.0, None)
    assert book.events == {}


def test_without_a_baseline_there_is_no_shed_but_a_cap(records: Records) -> None:
    none: Callable[[datetime], Baseline | None] = lambda now: None  # noqa: E731
    book = Book(records, none)
    with pytest.raises(CommandError, match="no baseline yet"):
        book.take(shed(), T0, 90.0, None)
    assert book.take(cap(1 * MW), T0, 90.0, None).limit_w == 1 * MW
