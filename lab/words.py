"""A study's figures as people read them: one row a policy, one column a figure."""

from collections.abc import Mapping, Sequence
from typing import Any

from igoudar.core.i18n import render
from igoudar.core.units import format_number

Row = Mapping[str, Any]
HOUR_S = 3600.0
NONE = "-"
# (code of the heading, key in the summary, what one unit of the heading is, digits)
FIGURES: tuple[tuple[str, str, float, int], ...] = (
    ("cost", "cost", 1.0, 0),
    ("renewable", "renewable_share", 0.01, 2),
    ("import", "import_wh", 1e6, 0),
    ("peak", "import_peak_w", 1e6, 2),
    ("export", "export_wh", 1e6, 0),
    ("curtailed", "curtailed_wh", 1e6, 0),
    ("cycles", "battery_cycles", 1.0, 1),
    ("missed", "deadlines_missed", 1.0, 0),
    ("beyond", "missed_beyond_run_now", 1.0, 0),
    ("stops", "stops_per_job", 1.0, 3),
    ("delay_p95", "delay_p95_s", HOUR_S, 1),
    ("pue", "pue", 1.0, 3),
    ("solve_p99", "solve_p99_s", 1e-3, 0),
)


def heads(lang: str) -> list[str]:
    """The headings, `policy` first."""
    return [render(f"lab.{code}", {}, lang) for code in ("policy", *(code for code, *_ in FIGURES))]


def cells(name: str, row: Row, lang: str) -> list[str]:
    """A policy's figures; a dash where there is none, a mark where it may not be compared."""
    marked = f"{name} *" if row.get("comparable") is False else name
    return [marked, *(_number(value_of(row, key), unit, digits, lang) for _, key, unit, digits in FIGURES)]


def value_of(row: Row, key: str) -> float | None:
    """A figure of a summary, or one that follows from it."""
    if key == "stops_per_job":
        return row["preemptions"] / row["jobs"] if row["jobs"] else None
    value = row.get(key)
    return None if value is None else float(value)


def _number(value: float | None, unit: float, digits: int, lang: str) -> str:
    return NONE if value is None else format_number(value / unit, lang, digits)


def show(policies: Mapping[str, Row], title: str, lang: str) -> None:
    """Print the table of all policies."""
    draw_right(heads(lang), [cells(name, row, lang) for name, row in policies.items()], title)
    if any(row.get("comparable") is False for row in policies.values()):
        draw_line(render("lab.not_comparable", {}, lang))


def difference(name: str, first: Row, second: Row, lang: str) -> list[str]:
    """Second minus first, with its sign."""
    found = []
    for _, key, unit, digits in FIGURES:
        a, b = value_of(first, key), value_of(second, key)
        change = None if a is None or b is None else b - a
        found.append(("+" if change and change > 0 else "") + _number(change, unit, digits, lang))
    return [name, *found]


def draw_right(head: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    """A table whose numbers stand right and are never folded; wider than the terminal if it must be."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, title=title or None, title_justify="left")
    for number, text in enumerate(head):
        grid.add_column(text, justify="right" if number else "left", no_wrap=number == 0, overflow="fold")
    for row in rows:
        grid.add_row(*(f"[default]{cell}" for cell in row))
    console = Console(highlight=False)
    console.width = max(console.width, 150)
    console.print(grid)


def draw_line(text: str) -> None:
    """One line of plain text."""
    from rich.console import Console

    Console(highlight=False, markup=False).print(text, soft_wrap=True)


def slack_lines(policies: Mapping[str, Row], lang: str) -> list[str]:
    """What gave way in each policy's run, a line each."""
    return [
        render(f"lab.slack_{slack}", {"policy": name, **told}, lang)
        for name, figures in policies.items()
        for slack, told in figures["slacks"].items()
    ]
