"""Builds the room of events of a running site."""

from igoudar.control.acting import Acting
from igoudar.control.alarms.engine import Watch
from igoudar.control.demand_response.baseline import baseline
from igoudar.control.demand_response.book import Book
from igoudar.control.demand_response.cap_levers import cap_levers
from igoudar.control.demand_response.events import Events
from igoudar.control.demand_response.orders import Orders
from igoudar.control.demand_response.rules import rules_of
from igoudar.control.demand_response.watch import EventWatch
from igoudar.control.ledger import Books, Ledger
from igoudar.control.mode import Modes
from igoudar.control.records.state import Records
from igoudar.control.roster import Roster
from igoudar.core.clock import Clock


def events_room(
    plant: Roster,
    clock: Clock,
    records: Records,
    ledger: Ledger,
    books: Books,
    acting: Acting,
    modes: Modes,
    version: str,
) -> Events:
    """The room, with what an earlier life of this process had opened and moved."""
    site = plant.site
    book = Book(records, lambda now: baseline(ledger, books, now))
    return Events(
        roster=plant,
        book=book,
        rules=rules_of(site.emergency, site.it_w, clock.speed, site.guard.resume_by_max_s),
        carrier=acting.executor,
        orders=Orders(site, clock.speed, version),
        now=clock.now,
        memory=book.restore(),
        caps=lambda: cap_levers(acting.executor.gate.sight, site.emergency.cap_least_ratio),
        may_act=lambda: modes.classes().get("jobs") != "observe",  # in advise it has an operator's yes
        pauses=acting.suspends.note,
    )


def event_watch(events: Events, modes: Modes) -> Watch:
    """What the alarm engine is to look at."""
    return EventWatch(events, modes.classes).signals
