"""The alarm list: priority, state, cause, action."""

from datetime import datetime

from igoudar.control.schema import Alarms, AlarmView
from igoudar.dashboard.charts.marks import empty_panel, priority_class, priority_mark
from igoudar.dashboard.charts.tables import Cell, Column, Markup, Row, button, table
from igoudar.dashboard.words import NONE, Words

_COLUMNS = (
    Column("priority"),
    Column("source"),
    Column("cause"),
    Column("what_to_do"),
    Column("state"),
    Column("raised"),
    Column("times", figure=True),
    Column(""),
)
NEEDS_ACK = ("unacknowledged", "returned_unacknowledged")


def alarm_list(alarms: Alarms | None, words: Words) -> str:
    """Active alarms, worst first as the API sends them."""
    if alarms is None:
        return empty_panel(words("active_alarms"), words)
    rows = [
        Row(_cells(alarm, alarms.time, words), f"alarm{priority_class(alarm.priority)}")
        for alarm in alarms.alarms
    ]
    return table(words("active_alarms"), str(len(rows)), _COLUMNS, rows, words)


def _cells(alarm: AlarmView, now: datetime, words: Words) -> list[Cell]:
    waits = alarm.state in NEEDS_ACK
    ack = button(f"ack:{alarm.id}", words("acknowledge"), spoken=f"{words('acknowledge')} {alarm.source}")
    return [
        Markup(priority_mark(alarm.priority, words, active=alarm.state != "normal")),
        alarm.source,
        words.text(alarm.text),
        words.text(alarm.action) or NONE,
        _state(alarm, now, words),
        words.moment(alarm.raised_at, now),
        str(alarm.occurrences),
        ack if waits else "",
    ]


def _state(alarm: AlarmView, now: datetime, words: Words) -> str:
    state = words.known("alarm_state", alarm.state)
    if alarm.acknowledged_by:
        return f"{state} · {alarm.acknowledged_by} {words.moment(alarm.acknowledged_at, now)}"
    return state
