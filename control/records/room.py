"""Whether the disks of the audit have room: a warning first, then no new automatic actions."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from igoudar.control.records import anchor
from igoudar.control.records.state import Records

Free = Callable[[Path], int]


@dataclass(frozen=True, slots=True)
class Room:
    """How the audit stands; `why` is for people, empty while it takes lines."""

    free_bytes: int
    low: bool
    full: bool
    why: str = ""


def free_bytes(folder: Path) -> int:
    """Free space on a folder's disk; 0 when it can't be asked."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


class AuditRoom:
    """Looks at the disks of the records and of the anchors.

    Args:
        records: Whose refusals count too.
        state: The folder of a SQLite database.
        low_bytes, full_bytes: Below the first people are warned, below the second automation begins nothing.
        free: Free space of a folder's disk.
    """

    def __init__(
        self, records: Records, state: Path, low_bytes: int, full_bytes: int, free: Free = free_bytes
    ) -> None:
        self._records, self._free = records, free
        self._low, self._full = low_bytes, full_bytes
        self._folders = {state, *(file.path.parent for file in records.anchors)}

    def look(self) -> Room:
        """How it stands now."""
        least = min(self._free(folder) for folder in self._folders)
        why = self._records.trouble or self._records.refused or anchor.refused(self._records.anchors)
        return Room(least, least < self._low, bool(why) or least < self._full, why)
