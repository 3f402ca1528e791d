"""The spool's files: which there are, and what stands in them."""

import errno
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from igoudar.collectors.spool_disk import Disk
from igoudar.collectors.spool_done import Done, load_done
from igoudar.collectors.spool_frames import HEADER_BYTES, Damage, Record, first_time_us, scan

_NAME = re.compile(r"(\d{19})\.seg")
_MOST_RECORDS = 1 << 24  # in one segment
_HIGHEST_FIRST = 1 << 61


@dataclass(eq=False, slots=True)
class Segment:
    """One file of records whose numbers follow one another."""

    first: int
    size_bytes: int = 0
    oldest_us: int | None = None  # received time of its first record, None where that can't be read

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{self.first:019d}.seg"


class Segments:
    """The files of a spool, oldest first; only the newest is written to, by the run that began it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.known = _found(disk, disk.sizes())

    @property
    def size_bytes(self) -> int:
        """All of them."""
        return sum(segment.size_bytes for segment in self.known)

    @property
    def oldest_us(self) -> int | None:
        """Received time of the oldest record."""
        return next((s.oldest_us for s in self.known if s.oldest_us is not None), None)

    def lowest(self, default: int) -> int:
        """The number that the oldest segment begins with."""
        return self.known[0].first if self.known else default

    def highest(self) -> int:
        """The highest number in any segment, 0 when there is none."""
        if not self.known:
            return 0
        newest = self.known[-1]
        found = self.records(newest, self.content(newest))
        return max([newest.first, *(item.number for item in found if isinstance(item, Record))])

    def last_number(self, segment: Segment, next_number: int) -> int:
        """The highest number that may stand in a segment."""
        index = self.known.index(segment) + 1
        return (self.known[index].first if index < len(self.known) else next_number) - 1

    def after(self, first: int) -> list[Segment]:
        """The segments after the one that begins with a number."""
        return [segment for segment in self.known if segment.first > first]

    def too_old(self, before_us: int) -> Segment | None:
        """The oldest segment, when all that it holds is from before an instant."""
        if len(self.known) > 1:
            following = self.known[1].oldest_us
            if following is not None and following < before_us:
                return self.known[0]
        return None

    def begin(self, first: int, oldest_us: int) -> Segment:
        """A new segment, as yet only known to us."""
        segment = Segment(first, 0, oldest_us)
        self.known.append(segment)
        return segment

    def forget(self, segment: Segment) -> None:
        """Delete a segment.

        Raises:
            OSError: it is still there.
        """
        self._disk.remove(segment.name)
        self.known.remove(segment)

    def content(self, segment: Segment) -> bytes:
        """What stands in a segment; nothing where the file is gone or its sectors can't be read.

        Raises:
            OSError: it can't be read just now.
        """
        try:
            return self._disk.read(segment.name)
        except OSError as error:
            if error.errno in (errno.EIO, errno.ENOENT):
                return b""
            raise

    def records(self, segment: Segment, content: bytes) -> Iterator[Record | Damage]:
        """The content's records in the order of their numbers; anything else is damage."""
        if segment.size_bytes and not content:
            yield Damage(0, segment.size_bytes)
        lowest, offset = segment.first, 0
        for found in scan(content):
            length = found.length if isinstance(found, Damage) else HEADER_BYTES + len(found.body)
            if isinstance(found, Record) and not lowest <= found.number < segment.first + _MOST_RECORDS:
                yield Damage(offset, length, readings=found.readings)
            else:
                lowest = found.number + 1 if isinstance(found, Record) else lowest
                yield found
            offset += length


def left(disk: Disk) -> tuple[Done, Segments, int]:
    """What an earlier run left: what is done, the files, and the number that comes next."""
    done, segments = load_done(disk), Segments(disk)
    following = 1 + max(done.highest, segments.highest())
    done.add(0, segments.lowest(following) - 1)
    return done, segments, following


def _found(disk: Disk, sizes: Mapping[str, int]) -> list[Segment]:
    numbers = sorted(int(match[1]) for name in sizes if (match := _NAME.fullmatch(name)))
    segments = [Segment(number) for number in numbers if number <= _HIGHEST_FIRST]
    for segment in segments:
        segment.size_bytes = sizes[segment.name]
        segment.oldest_us = _first_time_us(disk, segment.name)
    return segments


def _first_time_us(disk: Disk, name: str) -> int | None:
    try:
        return first_time_us(disk.read(name, HEADER_BYTES))
    except OSError:
        return None  # a sector that can't be read: found again, and counted, when its turn comes
