"""Which records need not be forwarded any more: ranges of numbers, kept in one small file."""

import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgpack

from igoudar.collectors.spool_disk import Disk, replace_durably
from igoudar.collectors.spool_frames import LARGEST_NUMBER, Damage, Record, pack, scan

LOG = logging.getLogger(__name__)

DONE_NAME = "done"

Range = tuple[int, int]  # both inclusive


class Done:
    """A set of record numbers as few ranges; live batches overtake the backlog, so there can be gaps."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._ranges: list[Range] = []
        for first, last in ranges:
            self.add(first, last)

    @property
    def ranges(self) -> Sequence[Range]:
        """In order, with a gap between neighbours."""
        return tuple(self._ranges)

    @property
    def highest(self) -> int:
        """The highest number, 0 when there is none."""
        return self._ranges[-1][1] if self._ranges else 0

    def __contains__(self, number: int) -> bool:
        return self.covers(number, number)

    def covers(self, first: int, last: int) -> bool:
        """Whether all of [first, last] are done."""
        index = bisect_right(self._ranges, first, key=lambda span: span[0]) - 1
        return first > last or (index >= 0 and self._ranges[index][1] >= last)

    def add(self, first: int, last: int | None = None) -> None:
        """Mark a number, or all of [first, last]."""
        last = first if last is None else last
        if first > last:
            return
        low = bisect_right(self._ranges, first - 2, key=lambda span: span[1])
        high = bisect_right(self._ranges, last + 1, key=lambda span: span[0])
        touched = self._ranges[low:high]
        if touched:
            first, last = min(first, touched[0][0]), max(last, touched[-1][1])
        self._ranges[low:high] = [(first, last)]

    def count(self, first: int, last: int) -> int:
        """How many of [first, last] are done."""
        return sum(max(0, min(b, last) - max(a, first) + 1) for a, b in self._ranges)

    def encode(self) -> bytes:
        """As the bytes of a file."""
        return pack(Record(0, 0, 0, msgpack.packb(self._ranges)))

    @classmethod
    def decode(cls, content: bytes) -> "Done | None":
        """The inverse of `encode`, None for any bytes that are not one."""
        match list(scan(content)):
            case [Record(body=body)]:
                return cls._unpack(body)
            case [Damage(), *_] | _:
                return None

    @classmethod
    def _unpack(cls, body: bytes) -> "Done | None":
        try:
            ranges = [(int(first), int(last)) for first, last in msgpack.unpackb(body)]
        except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
            return None
        sane = all(0 <= first <= last <= LARGEST_NUMBER for first, last in ranges)
        return cls(ranges) if sane else None


def load_done(disk: Disk) -> Done:
    """What was finished before a restart; nothing when that can't be read: then all is sent again.

    Raises:
        OSError: the disk does not read.
    """
    if DONE_NAME not in disk.sizes():
        return Done()
    done = Done.decode(disk.read(DONE_NAME))
    if done is None:
        LOG.error("the spool's list of finished batches is damaged: all that it still holds is sent again")
    return done or Done()


def save_done(disk: Disk, done: Done) -> None:
    """Keep it durably.

    Raises:
        OSError: what was kept before still is.
    """
    replace_durably(disk, DONE_NAME, done.encode())
