"""Who may act: the mode of the site and of each class, hands-off, and what people hold."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from igoudar.control.schema import ModeView
from igoudar.control.schema_hands import HandsOffView, OverrideView
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.tables import Column, Markup, Row, button, table
from igoudar.dashboard.words import NONE, Words

MODES = ("observe", "advise", "auto")
SITE = "site"
_MODE_COLUMNS = (Column("what"), Column("mode"), Column(""))
_HELD_COLUMNS = (
    Column("what"),
    Column("value", figure=True),
    Column("who"),
    Column("reason"),
    Column("until", short=True),
    Column(""),
)


def hands_panel(mode: ModeView | None, hands: HandsOffView | None, words: Words) -> str:
    """The site's mode in one line with the button that stops everything; aloud while it is stopped."""
    title = words("hands_title")
    if mode is None or hands is None:
        return empty_panel(title, words)
    act, label = ("hands_on", "hands_on_button") if hands.on else ("hands_off", "hands_off_button")
    stop = button(f"{act}:{SITE}", words(label)).html
    now = escape(words("hands_line", mode=words.known("mode", mode.mode)))
    head = f"<h2>{now} <span>{escape(_since(mode, words))}</span></h2>"
    line = f'<div class="ig-head">{head}<div class="ig-buttons">{stop}</div></div>'
    return f'{_banner(hands, words) if hands.on else ""}<section class="ig-panel ig-hands">{line}</section>'


def modes_panel(mode: ModeView | None, words: Words) -> str:
    """The mode of the site and of each class, with the buttons that change them."""
    title = words("modes_title")
    if mode is None:
        return empty_panel(title, words)
    rows = [_mode_row(SITE, mode.mode, words)]
    rows += [_mode_row(name, word, words) for name, word in mode.classes.items()]
    return table(title, "", _MODE_COLUMNS, rows, words)


def _since(mode: ModeView, words: Words) -> str:
    said = words("mode_since", by=mode.by, since=words.clock(mode.since, "%d/%m %H:%M"))
    return f"{said} · {mode.forced}" if mode.forced else said


def _mode_row(name: str, now: str, words: Words) -> Row:
    others = [mode for mode in MODES if mode != now]
    buttons = "".join(
        button(
            f"mode:{name} {mode}",
            words(f"mode_{mode}"),
            spoken=f"{_what(name, words)}: {words(f'mode_{mode}')}",
        ).html
        for mode in others
    )
    return Row(
        (_what(name, words), words.known("mode", now), Markup(f'<div class="ig-buttons">{buttons}</div>'))
    )


def _what(name: str, words: Words) -> str:
    return words.known("actuator", name)


def _banner(hands: HandsOffView, words: Words) -> str:
    when = words.clock(hands.when, "%d/%m %H:%M")
    said = words.html("hands_off_holds", who=hands.who, when=when, why=hands.why or NONE)
    title = f"<b>{words.html('hands_off_title')}</b>"
    return f'<div class="ig-banner" role="alert">{title} <span>{said}</span></div>'


def overrides_table(overrides: Sequence[OverrideView] | None, now: datetime, words: Words) -> str:
    """Points and jobs that people hold."""
    title = words("overrides_title")
    if overrides is None:
        return empty_panel(title, words)
    rows = [
        Row(
            (
                Markup(f"<b>{escape(one.target)}</b> {escape(one.point)}"),
                words.unit(one.value, one.unit),
                one.who,
                one.reason or NONE,
                words.moment(one.until, now),
                button(
                    f"let_go:{one.target} {one.point}",
                    words("verb_let_go"),
                    spoken=f"{words('verb_let_go')} {one.target}",
                ),
            )
        )
        for one in overrides
    ]
    return table(title, str(len(rows)), _HELD_COLUMNS, rows, words)
