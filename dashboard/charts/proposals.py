"""What waits for a person: old and new value, effect and expiry, and who has said yes."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from igoudar.control.schema import ActionView
from igoudar.control.schema_hands import ProposalView
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.tables import Column, Markup, Row, button, table
from igoudar.dashboard.words import NONE, Words

SHOWN = 30
_COLUMNS = (
    Column("what"),
    Column("change", short=True),
    Column("effect", figure=True, short=True),
    Column("reason"),
    Column("approvals"),
    Column("expires", short=True),
    Column(""),
)
_DONE_COLUMNS = (
    Column("when", short=True),
    Column("who"),
    Column("what"),
    Column("change"),
    Column("reason"),
    Column("result"),
)


def proposals_table(proposals: Sequence[ProposalView] | None, now: datetime, words: Words) -> str:
    """Commands that wait; those that are decided are in the record below."""
    title = words("proposals_title")
    if proposals is None:
        return empty_panel(title, words)
    rows = [_row(one, now, words) for one in proposals if one.state == "waiting"]
    return table(title, str(len(rows)), _COLUMNS, rows, words)


def change(one: ProposalView, words: Words, now: datetime | None = None) -> str:
    """From what to what, with its unit; times with their date unless `now` says that it is today's."""
    return f"{words.recorded(one.before, now)} → {words.recorded(one.after, now)} {one.unit}".strip()


def approvals(one: ProposalView, words: Words) -> str:
    """How many of how many people have approved, and who."""
    count = words("approvals", given=len(one.approved_by), needed=one.approvals_needed)
    return f"{count} · {', '.join(one.approved_by)}" if one.approved_by else count


def _row(one: ProposalView, now: datetime, words: Words) -> Row:
    buttons = "".join(
        button(f"{verb}:{one.id}", words(f"verb_{verb}"), spoken=f"{words(f'verb_{verb}')} {one.target}").html
        for verb in ("say_yes", "say_no")
    )
    kind = words.known("actuator", one.actuator)
    return Row(
        (
            Markup(f"<b>{escape(one.target)}</b> {escape(one.point)} <small>{escape(kind)}</small>"),
            change(one, words, now),
            words.quantity(one.effect_w, "w"),
            words.text(one.reason) or NONE,
            approvals(one, words),
            words.moment(one.expires_at, now),
            Markup(f'<div class="ig-buttons">{buttons}</div>'),
        )
    )


def record_table(actions: Sequence[ActionView] | None, now: datetime, words: Words) -> str:
    """The newest lines of the audit."""
    title = words("record_title")
    if actions is None:
        return empty_panel(title, words)
    rows = [
        Row(
            (
                words.moment(one.at, now),
                one.who,
                Markup(f"<b>{escape(one.target)}</b> {escape(one.verb)}"),
                f"{words.recorded(one.before, now)} → {words.recorded(one.after, now)}",
                words.text(one.reason) or NONE,
                words.known("result", one.result),
            )
        )
        for one in actions[:SHOWN]
    ]
    return table(title, str(len(rows)), _DONE_COLUMNS, rows, words)
