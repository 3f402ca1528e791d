"""The daily write budget of points whose memory wears; on disk before the wire: no restart renews it."""

import asyncio
import json
import threading
from datetime import date
from pathlib import Path

from igoudar.collectors.checks.pace import Place
from igoudar.collectors.results import Rejected
from igoudar.core.durable import write_durably

BUDGET_FILE = "writes.json"


class Budget:
    """Counts writes of each point and day.

    Args:
        state: The folder of `writes.json`; a file that can't be read counts as all spent for its day.
    """

    def __init__(self, state: Path) -> None:
        self._file = state / BUDGET_FILE
        self._counts, self._known = _read(self._file)
        self._turn, self._disk = asyncio.Lock(), threading.Lock()

    async def spend(self, place: Place, day: date, most: int) -> Rejected | None:
        """Take one write out of the day's budget; the reason why not when none is left."""
        async with self._turn:
            return await self._spend(place, day, most)

    async def _spend(self, place: Place, day: date, most: int) -> Rejected | None:
        if not self._known:
            return Rejected("budget_spent", f"{self._file.name} can't be read: repair or remove it")
        key, today = "/".join(place), day.isoformat()
        spent = self._counts.get(key, (today, 0))
        count = spent[1] if spent[0] >= today else 0  # a clock that went back renews nothing
        if count >= most:
            return Rejected("budget_spent", f"{most} writes on {spent[0]}")
        return await self._keep({**self._counts, key: (max(spent[0], today), count + 1)})

    async def _keep(self, counts: dict[str, tuple[str, int]]) -> Rejected | None:
        try:
            await asyncio.to_thread(self._sync, json.dumps(counts).encode())
        except OSError as error:
            return Rejected("budget_spent", f"{self._file.name} can't be kept ({error.strerror})")
        self._counts = counts
        return None

    def _sync(self, content: bytes) -> None:
        with self._disk:  # one that was given up may still be at it
            write_durably(self._file, content)


def _read(file: Path) -> tuple[dict[str, tuple[str, int]], bool]:
    try:
        document = json.loads(file.read_text())
        return {str(key): (str(day), int(count)) for key, (day, count) in document.items()}, True
    except FileNotFoundError:
        return {}, True
    except (OSError, ValueError, TypeError, AttributeError):
        return {}, False
