"""Readings that the store will never take: kept aside with the reason, for a person to look at."""

import json
import logging
import zlib
from collections.abc import Sequence

from igoudar.collectors.spool_disk import Disk, leftovers, replace_durably
from igoudar.collectors.wire import pack_reading
from igoudar.core.model import Reading

LOG = logging.getLogger(__name__)


class Quarantine:
    """One JSON file for each refusal: `reason` and `readings` (as in the collector's socket protocol).

    Args:
        disk: A folder of its own.
        most_bytes: When it is full the oldest files go, counted in `dropped`.
    """

    def __init__(self, disk: Disk, most_bytes: int) -> None:
        self.readings = self.dropped = 0
        self._disk, self._most_bytes = disk, most_bytes
        for name in leftovers(list(disk.sizes())):
            disk.remove(name)

    def keep(self, readings: Sequence[Reading], reason: str) -> None:
        """Put readings aside; the same ones refused twice are kept once.

        Raises:
            OSError: they are not kept.
        """
        packed = [pack_reading(reading) for reading in readings]
        content = json.dumps({"reason": reason, "readings": packed}, indent=0).encode()
        name = f"{packed[0][0]:020d}-{zlib.crc32(json.dumps(packed).encode()):08x}.json"
        sizes = self._disk.sizes()
        self._make_room(sizes, len(content))
        replace_durably(self._disk, name, content)
        if name not in sizes:
            self.readings += len(readings)
            LOG.error("the store will never take %d readings, they are set aside: %s", len(readings), reason)

    def _make_room(self, sizes: dict[str, int], more_bytes: int) -> None:
        total = sum(sizes.values()) + more_bytes
        for name in sorted(sizes):
            if total <= self._most_bytes:
                return
            self._disk.remove(name)
            self.dropped += 1
            total -= sizes[name]
