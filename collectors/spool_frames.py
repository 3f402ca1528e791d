"""Records in a segment: framed, checksummed twice, and found again after damage.

A record is a header of 40 bytes and its body. The header has a checksum of its own, so that a length is
believed only when it is whole, and a damaged body costs only itself.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"igSP"
HEAD = struct.Struct("<4sIQQqI")  # magic, body length, number, readings, newest [us], body crc32
HEADER_BYTES = HEAD.size + 4  # and the crc32 of the head
LARGEST_BODY = 256 << 20
LARGEST_NUMBER = 1 << 62


@dataclass(frozen=True, slots=True)
class Record:
    """One whole record; `newest_us` is the received time of its newest reading."""

    number: int
    readings: int
    newest_us: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of bytes that is no whole record.

    `torn` says that the file ends within it, as after a crash: then nothing in it was ever acknowledged.
    `readings` is how many it held, where its header still says so.
    """

    offset: int
    length: int
    torn: bool = False
    readings: int = 0


@dataclass(frozen=True, slots=True)
class _Header:
    length: int
    number: int
    readings: int
    newest_us: int
    crc32: int


def pack(record: Record) -> bytes:
    """A record's bytes."""
    crc32 = zlib.crc32(record.body)
    head = HEAD.pack(MAGIC, len(record.body), record.number, record.readings, record.newest_us, crc32)
    return b"".join((head, zlib.crc32(head).to_bytes(4, "little"), record.body))


def scan(content: bytes) -> Iterator[Record | Damage]:
    """Everything in a segment in order; any bytes whatever are records and damage, never an exception."""
    offset = 0
    while offset < len(content):
        found = _at(content, offset)
        yield found
        offset += found.length if isinstance(found, Damage) else HEADER_BYTES + len(found.body)


def first_time_us(content: bytes) -> int | None:
    """The time of the record that `content` begins with, None when its header is not whole."""
    header = _header(content, 0)
    return None if header is None else header.newest_us


def _at(content: bytes, offset: int) -> Record | Damage:
    header = _header(content, offset)
    if header is None:
        return _garbage(content, offset)
    start = offset + HEADER_BYTES
    body = content[start : start + header.length]
    if len(body) == header.length and zlib.crc32(body) == header.crc32:
        return Record(header.number, header.readings, header.newest_us, body)
    if len(body) < header.length:  # torn, unless the file goes on with another record
        end = _next(content, start)
        return Damage(offset, end - offset, torn=end == len(content), readings=header.readings)
    return Damage(offset, HEADER_BYTES + header.length, readings=header.readings)


def _garbage(content: bytes, offset: int) -> Damage:
    end = _next(content, offset + 1)
    last = end == len(content)  # what a crash leaves of a record: a part of its header, or zeros
    torn = last and (end - offset < HEADER_BYTES or not content[offset:].strip(b"\0"))
    return Damage(offset, end - offset, torn=torn)


def _next(content: bytes, offset: int) -> int:
    """Where the next whole header stands, the end when there is none."""
    while (offset := content.find(MAGIC, offset)) >= 0:
        if _header(content, offset) is not None:
            return offset
        offset += 1
    return len(content)


def _header(content: bytes, offset: int) -> _Header | None:
    end = offset + HEADER_BYTES
    head = content[offset : offset + HEAD.size]
    if end > len(content) or zlib.crc32(head) != int.from_bytes(content[end - 4 : end], "little"):
        return None
    magic, length, number, readings, newest_us, crc32 = HEAD.unpack(head)
    if magic != MAGIC or length > LARGEST_BODY or number > LARGEST_NUMBER:
        return None
    return _Header(length, number, readings, newest_us, crc32)
