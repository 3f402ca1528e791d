"""Lists as HTML tables: readable by a screen reader, cards on a phone, every cell escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from igoudar.dashboard.words import Words


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading's key, and whether it holds figures."""

    key: str
    figure: bool = False


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


def table(title: str, count: str, columns: Sequence[Column], rows: Sequence[Row], words: Words) -> str:
    """A panel with one table; says so when it is empty."""
    heads = "".join(
        f'<th scope="col"{_figure(column)}>{words.html(f"column_{column.key}") if column.key else ""}</th>'
        for column in columns
    )
    body = "".join(_row(row, columns, words) for row in rows)
    empty = "" if rows else f"<p>{words.html('nothing_here')}</p>"
    shown = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>" if rows else empty
    return (
        f'<section class="ig-panel ig-table"><h2>{escape(title)} <span>{escape(count)}</span></h2>'
        f'<div class="ig-scroll">{shown}</div></section>'
    )


def button(act: str, label: str, *, spoken: str = "") -> Markup:
    """A button that reports `act`."""
    hint = f' aria-label="{escape(spoken)}"' if spoken else ""
    return Markup(
        f'<button type="button" class="ig-button" data-act="{escape(act)}"{hint}>{escape(label)}</button>'
    )


def _row(row: Row, columns: Sequence[Column], words: Words) -> str:
    cells = zip(columns, row.cells, strict=True)
    return f'<tr class="{row.css}">{"".join(_cell(column, cell, words) for column, cell in cells)}</tr>'


def _cell(column: Column, cell: Cell, words: Words) -> str:
    label = words.html(f"column_{column.key}") if column.key else ""
    content = cell.html if isinstance(cell, Markup) else escape(cell)
    return f'<td{_figure(column)} data-label="{label}">{content}</td>'


def _figure(column: Column) -> str:
    return ' class="n"' if column.figure else ""
