"""A bar on the terminal while a study runs; silent where nobody looks."""

from collections.abc import Iterator
from contextlib import contextmanager

from igoudar.lab.backtest import Progress


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A function to tell (periods done, of how many, which policy); the bar goes when it ends."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, *times, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def told(done: int, total: int, policy: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{title} {policy}")

        yield told
