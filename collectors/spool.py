"""The spool: readings on disk, acknowledged, until the store has them. One thread at a time."""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from igoudar.collectors.spool_batch import Unreadable, decode, encode
from igoudar.collectors.spool_disk import Disk, leftovers
from igoudar.collectors.spool_done import save_done
from igoudar.collectors.spool_frames import Damage, Record, pack
from igoudar.collectors.spool_segments import Segment, left
from igoudar.collectors.wire import pack_time
from igoudar.core.model import Reading, SpoolRules

LOG = logging.getLogger(__name__)

HOUR_US = 3_600_000_000
MOST_SEGMENT_BYTES = 32 << 20
SEGMENTS = 8  # a full spool loses at most this share of itself at once


@dataclass(frozen=True, slots=True)
class Batch:
    """What was appended at once; its number is its identity."""

    number: int
    readings: Sequence[Reading]


class Spool:
    """Appends batches, gives them out oldest first, forgets those that are finished.

    A batch is kept, whatever happens to the process or the power, once `append` has returned and until it is
    finished or the spool is full. One that was finished shortly before a crash may be given out again.

    Args:
        disk: A folder of its own.
        rules: How much it may hold.

    Raises:
        OSError: the folder can't be read.
    """

    def __init__(self, disk: Disk, rules: SpoolRules) -> None:
        self.dropped = self.corrupt = self.corrupt_readings = 0
        self._disk, self._rules = disk, rules
        self._segment_bytes = max(1, min(MOST_SEGMENT_BYTES, rules.most_bytes // SEGMENTS))
        self._active: Segment | None = None
        self._handed: set[int] = set()  # given out, not finished
        self._noted: set[tuple[int, int]] = set()  # damage that is counted
        self._passed = -1  # first number of the segment that is being read
        self._records: Iterator[Record] = iter(())
        for name in leftovers(list(disk.sizes())):
            disk.remove(name)
        self._done, self._segments, self._next = left(disk)
        self._saved = True

    @property
    def size_bytes(self) -> int:
        """What it takes on disk."""
        return self._segments.size_bytes

    @property
    def batches(self) -> int:
        """How many wait, at most: damage is found only when its turn comes."""
        return self._next - self._done.count(0, self._next - 1)

    @property
    def unsaved(self) -> bool:
        """Whether `save` has something to do."""
        return not self._saved

    @property
    def oldest_us(self) -> int | None:
        """Received time of the oldest reading that may wait [us since 1970], None when nothing does."""
        return self._segments.oldest_us if self.batches else None

    def append(self, readings: Sequence[Reading], *, give: bool = False) -> int:
        """Keep a batch; its number. When this returns it survives a power cut.

        Args:
            readings: At least one.
            give: Give it out at once: the caller forwards it, and says `finish` or `release`.

        Raises:
            OSError: it is not kept.
        """
        number = self._next
        newest_us = max(pack_time(reading.at) for reading in readings)
        record = pack(Record(number, len(readings), newest_us, encode(readings)))
        self._make_room(len(record), newest_us)
        self._next += 1
        try:
            self._write(number, newest_us, record)
        except OSError:
            self._done.add(number)  # never to be used again, whatever of it is on disk
            raise
        if give:
            self._handed.add(number)
        return number

    def take(self, most_readings: int) -> list[Batch]:
        """The oldest batches that wait, about `most_readings` in all; each is given out once.

        Raises:
            OSError: the disk does not read just now.
        """
        taken: list[Batch] = []
        count = 0
        while count < most_readings and (batch := self._following()) is not None:
            taken.append(batch)
            self._handed.add(batch.number)
            count += len(batch.readings)
        return taken

    def finish(self, numbers: Collection[int]) -> None:
        """These are in the store; they need not be kept."""
        for number in numbers:
            self._handed.discard(number)
            self._done.add(number)
        self._saved = self._saved and not numbers

    def release(self, numbers: Collection[int]) -> None:
        """These are not in the store after all: give them out again, in their turn."""
        self._handed.difference_update(numbers)
        self._stop_reading()

    def save(self) -> None:
        """Delete what nobody needs and remember across restarts what is finished.

        Raises:
            OSError: nothing is lost by that; save again later.
        """
        for segment in tuple(self._segments.known):
            last = self._segments.last_number(segment, self._next)
            if segment is not self._active and self._done.covers(segment.first, last):
                self._segments.forget(segment)  # first: on a full disk this makes the room to save in
        if not self._saved:
            save_done(self._disk, self._done)
            self._saved = True

    def _write(self, number: int, newest_us: int, record: bytes) -> None:
        segment, self._active = self._active, None  # one that fails is never written again: it may be torn
        if segment is None or segment.size_bytes + len(record) > self._segment_bytes:
            segment = self._segments.begin(number, newest_us)
        try:
            self._disk.append(segment.name, record)
            self._disk.sync(segment.name)
            if segment.size_bytes == 0:
                self._disk.sync_folder()
        except OSError:
            self._undo(segment)
            raise
        segment.size_bytes += len(record)
        self._active = segment

    def _undo(self, segment: Segment) -> None:
        """Give back the space of half a record; where even that fails, readers step over it."""
        try:
            if segment.size_bytes:
                self._disk.truncate(segment.name, segment.size_bytes)
            else:
                self._segments.forget(segment)
        except OSError as error:
            LOG.warning("half a record stays in the spool: %s", error)

    def _make_room(self, more_bytes: int, newest_us: int) -> None:
        """Drop the oldest segments until the rules hold."""
        before_us = newest_us - round(self._rules.hours * HOUR_US)
        while self.size_bytes + more_bytes > self._rules.most_bytes and self._segments.known:
            self._drop(self._segments.known[0])
        while (segment := self._segments.too_old(before_us)) is not None:
            self._drop(segment)

    def _drop(self, segment: Segment) -> None:
        last = self._segments.last_number(segment, self._next)
        lost = 0
        if self._holds_waiting(segment.first, last):
            lost = sum(
                record.readings for record in self._waiting_in(segment, self._segments.content(segment))
            )
        if segment is self._active:
            self._active = None
        self._segments.forget(segment)
        self._stop_reading()
        self._done.add(segment.first, last)
        self._saved = False
        self.dropped += lost
        if lost:
            LOG.error("the spool is full: the oldest %d readings are dropped", lost)

    def _following(self) -> Batch | None:
        """The next batch in order that waits."""
        while True:
            for record in self._records:
                if (batch := self._read(record)) is not None:
                    return batch
            if not self._open_following():
                return None

    def _read(self, record: Record) -> Batch | None:
        readings = decode(record.body)
        if isinstance(readings, Unreadable):
            self._count_corrupt(record.readings, readings.why)
            self._done.add(record.number)
            return None
        return Batch(record.number, readings)

    def _open_following(self) -> bool:
        """Read on in the next segment where something waits; False when there is none."""
        for segment in self._segments.after(self._passed):
            if self._holds_waiting(segment.first, self._segments.last_number(segment, self._next)):
                content = self._segments.content(segment)
                if segment is self._active:
                    self._active = None  # from here on it does not grow
                self._records, self._passed = self._waiting_in(segment, content), segment.first
                return True
        return False

    def _waiting_in(self, segment: Segment, content: bytes) -> Iterator[Record]:
        """Records that nobody was given; what should stand between them and does not is gone for ever."""
        last, expected = self._segments.last_number(segment, self._next), segment.first
        for found in self._segments.records(segment, content):
            if isinstance(found, Damage):
                self._note(segment, found)
                continue
            self._done.add(expected, found.number - 1)
            expected = found.number + 1
            if found.number not in self._handed and found.number not in self._done:
                yield found
        self._done.add(expected, last)

    def _holds_waiting(self, first: int, last: int) -> bool:
        handed = sum(first <= number <= last for number in self._handed)
        return self._done.count(first, last) + handed < last - first + 1

    def _note(self, segment: Segment, damage: Damage) -> None:
        if not damage.torn and (segment.first, damage.offset) not in self._noted:
            self._noted.add((segment.first, damage.offset))
            self._count_corrupt(damage.readings, f"{damage.length} damaged bytes in {segment.name}")

    def _count_corrupt(self, readings: int, why: str) -> None:
        self.corrupt += 1
        self.corrupt_readings += readings
        self._saved = False
        LOG.error("a record of the spool can't be read (%s): %d readings", why, readings)

    def _stop_reading(self) -> None:
        self._passed, self._records = -1, iter(())
