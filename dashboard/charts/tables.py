"""Lists as HTML tables: readable by a screen reader, cards on a phone, every cell escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from igoudar.dashboard.words import Words


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading's key, whether it holds figures, and whether its cells stay on one line."""

    key: str
    figure: bool = False
    short: bool = False


@dataclass(frozen=True, slots=True)
class Markup:
    """Cell content that is HTML already; its maker escaped the names in it."""

    html: str


Cell = str | Markup


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its CSS class."""

    cells: Sequence[Cell]
    css: str = ""


def table(
    title: str,
    count: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    words: Words,
    *,
    buttons: Markup | None = None,
) -> str:
    """A panel with one table, its buttons beside the title; says so when it is empty."""
    heads = "".join(
        f'<th scope="col"{_figure(column)}>{words.html(f"column_{column.key}") if column.key else ""}</th>'
        for column in columns
    )
    body = "".join(_row(row, columns, words) for row in rows)
    empty = "" if rows else f"<p>{words.html('nothing_here')}</p>"
    shown = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>" if rows else empty
    head = f"<h2>{escape(title)} <span>{escape(count)}</span></h2>"
    if buttons is not None:
        head = f'<div class="ig-head">{head}<div class="ig-buttons">{buttons.html}</div></div>'
    return f'<section class="ig-panel ig-table">{head}<div class="ig-scroll">{shown}</div></section>'


def button(act: str, label: str, *, spoken: str = "") -> Markup:
    """A button that reports `act`."""
    hint = f' aria-label="{escape(spoken)}"' if spoken else ""
    return Markup(
        f'<button type="button" class="ig-button" data-act="{escape(act)}"{hint}>{escape(label)}</button>'
    )


def pick(target: str, verbs: Sequence[str], spoken: str) -> Markup:
    """A box that picks a row for the buttons of `verbs`."""
    return Markup(
        f'<label class="ig-pick-row"><input type="checkbox" data-pick="{escape(target)}"'
        f' data-can="{escape(" ".join(verbs))}" aria-label="{escape(spoken)}"></label>'
    )


def picked_button(verb: str, label: str) -> Markup:
    """A button that reports `verb` on all picked rows that allow it, and counts them."""
    return Markup(
        f'<button type="button" class="ig-button" data-picked="{escape(verb)}" disabled>{escape(label)}'
        f" <i>(0)</i></button>"
    )


def _row(row: Row, columns: Sequence[Column], words: Words) -> str:
    cells = zip(columns, row.cells, strict=True)
    return f'<tr class="{row.css}">{"".join(_cell(column, cell, words) for column, cell in cells)}</tr>'


def _cell(column: Column, cell: Cell, words: Words) -> str:
    label = words.html(f"column_{column.key}") if column.key else ""
    content = cell.html if isinstance(cell, Markup) else escape(cell)
    return f'<td{_figure(column)} data-label="{label}">{content}</td>'


def _figure(column: Column) -> str:
    css = " ".join(name for name, is_so in (("n", column.figure), ("w", column.short)) if is_so)
    return f' class="{css}"' if css else ""
