"""Stored rows that can't be read: once in the audit and as an alarm, so that a person asks for them again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from igoudar.control.actuation.chronicle import CONTROL, Chronicle
from igoudar.control.alarms.rules import Condition
from igoudar.control.alarms.watch import Signal
from igoudar.control.picture import Picture
from igoudar.control.records.aside import Unread

CODE, PRIORITY = "rows_unread", 2
LINES = 20  # of the audit; a table that is damaged all over must not fill it
NAMED = 3


@dataclass(frozen=True, slots=True)
class SetAside:
    """Tells for the writer: on a host that waits they are nobody's wish yet.

    Args:
        site: Its name.
        chronicle: Of what was done, and was not.
        writer: Whether this host is the writer.
    """

    site: str
    chronicle: Chronicle
    writer: Callable[[], bool]

    def signals(self, picture: Picture) -> Iterator[Signal]:
        """What the alarm engine follows."""
        found = self.chronicle.records.aside.told() if self.writer() else []
        if not found:
            return
        self._note(found, picture)
        rows = ", ".join(f"{one.table} {one.key}" for one in found[:NAMED])
        words: dict[str, object] = {"source": self.site, "count": len(found), "rows": rows}
        yield Signal(CODE, self.site, PRIORITY, CODE, Condition(), words, pulse=True)

    def _note(self, found: Sequence[Unread], picture: Picture) -> None:
        for one in found[:LINES]:
            target, why = f"{one.table} {one.key}", {"table": one.table, "key": one.key, "why": one.why}
            self.chronicle.say(
                picture.at, CONTROL, "set_aside", target, None, "audit.row_unread", why, result="unread"
            )
        self.chronicle.flush()
