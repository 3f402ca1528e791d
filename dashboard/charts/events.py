"""Emergency and demand response: the target, the load against it, what gives how much, and the way back."""

from html import escape

from igoudar.control.schema_events import EventsView, EventView, IntervalsView, LeverView
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.tables import Column, Markup, Row, button, table
from igoudar.dashboard.words import NONE, Words, power_unit

SHOWN = 8
ENDABLE = ("announced", "active")
_COLUMNS = (
    Column("event"),
    Column("limit", figure=True, short=True),
    Column("load_now", figure=True, short=True),
    Column("span", short=True),
    Column("state"),
    Column("intervals"),
    Column("levers"),
    Column(""),
)


def events_table(events: EventsView | None, words: Words) -> str:
    """Every event, newest first."""
    title = words("events_title")
    if events is None:
        return empty_panel(title, words)
    rows = [_row(event, events, words) for event in events.events[:SHOWN]]
    return table(title, str(len(events.events)), _COLUMNS, rows, words)


def limit_panel(events: EventsView | None, words: Words) -> str:
    """A bar of the load with a mark at the limit, while one holds; what gives how much."""
    if events is None:
        return ""
    meters = ((events.limit_w, events.load_w, "facility"), (events.import_limit_w, events.import_w, "import"))
    bars = "".join(_bar(limit, load, name, words) for limit, load, name in meters if limit is not None)
    if not bars:
        return ""
    debt = words(
        "event_debt",
        open=words.number(events.debt_gpu_s / 3600, 0),
        paid=words.number(events.debt_paid_gpu_s / 3600, 0),
    )
    levers = _levers(events.levers, words) or NONE
    return f'<section class="ig-panel ig-event">{bars}<p>{escape(levers)} · {escape(debt)}</p></section>'


def _bar(limit_w: float, load_w: float | None, meter: str, words: Words) -> str:
    unit = power_unit(max(limit_w, load_w or 0.0))
    most_w = max(limit_w, load_w or 0.0, 1.0) * 1.15
    over = " over" if load_w is not None and load_w > limit_w * 1.01 else ""
    said = words(
        "event_bar",
        meter=words(f"meter_{meter}"),
        load=words.power(load_w, unit),
        limit=words.power(limit_w, unit),
    )
    filled, mark = 100 * (load_w or 0.0) / most_w, 100 * limit_w / most_w
    return (
        f'<div class="ig-target{over}" role="img" aria-label="{escape(said)}"><b>{escape(said)}</b>'
        f'<i><s style="width:{filled:.1f}%"></s><u style="left:{mark:.1f}%"></u></i></div>'
    )


def _row(event: EventView, events: EventsView, words: Words) -> Row:
    unit = power_unit(max(event.limit_w, event.load_w or 0.0))
    end = button(
        f"end_event:{event.id}", words("verb_end_event"), spoken=f"{words('verb_end_event')} {event.id}"
    )
    ends = words.moment(event.ends_at, events.time) if event.ends_at else words("until_ended")
    return Row(
        (
            _name(event, words),
            words.power(event.held_w, unit),
            words.power(event.load_w, unit),
            f"{words.moment(event.starts_at, events.time)} – {ends}",
            f"{words.known('event_state', event.state)} · {words.text(event.note)}",
            _intervals(event.intervals, words),
            _levers(event.levers, words) or NONE,
            end if event.state in ENDABLE else "",
        ),
        f"is-{event.state}",
    )


def _name(event: EventView, words: Words) -> Markup:
    kind = words.html(f"event_{event.kind}")
    return Markup(f"<b>{kind}</b> {escape(event.who)} <small>{escape(event.reason)}</small>")


def _intervals(intervals: list[IntervalsView], words: Words) -> str:
    return (
        " · ".join(
            words("intervals", length=words.duration(one.length_s), met=one.met, missed=one.missed)
            for one in intervals
            if one.met or one.missed
        )
        or NONE
    )


def _levers(levers: list[LeverView], words: Words) -> str:
    given = [one for one in levers if one.power_w]
    return " · ".join(
        f"{words.known('lever', one.lever)} {words.quantity(one.power_w, 'w')}" for one in given
    )
