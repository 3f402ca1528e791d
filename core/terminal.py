"""Text and tables on a terminal; what comes from outside is hostile until escaped."""

from collections.abc import Sequence
from unicodedata import category

NAME_COLUMNS = 30  # what the first column may claim, so that names stay in one piece


def printable(text: object) -> str:
    """On one line, without control characters: nothing from outside steers the terminal."""
    return "".join(c if c.isprintable() or category(c) == "Zs" else "?" for c in str(text))


def safe(text: object) -> str:
    """Printable, and no markup either."""
    from rich.markup import escape

    return escape(printable(text))


def draw(heads: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print rows under heads; cells are escaped already, heads and title are not."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, title=safe(title) or None, title_justify="left")
    for number, head in enumerate(heads):
        longest = max((len(row[number]) for row in rows), default=0)
        least = 1 if number else min(NAME_COLUMNS, longest)
        grid.add_column(safe(head), overflow="fold", min_width=least)
    for row in rows:
        grid.add_row(*row)
    Console(highlight=False).print(grid)
