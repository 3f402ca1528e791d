"""Modbus TCP frames as bytes: building requests and taking answers apart; pure.

Source: MODBUS Application Protocol V1.1b3, MODBUS Messaging on TCP/IP V1.0b.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.core.model import Reason

HEADER = struct.Struct(">HHHB")  # transaction, protocol, length, unit
LONGEST = 254  # of the length field: unit + 253 bytes of PDU
READ_BITS = (1, 2)
WRITE_MANY = 16
WRITES = (6, WRITE_MANY)

_BIT = (b"\0\0", b"\0\1")

EXCEPTIONS = {
    1: (Reason.EXCEPTION, "the device does not know this function"),
    2: (Reason.EXCEPTION, "the device does not have these registers"),
    3: (Reason.EXCEPTION, "the device refuses this value"),
    4: (Reason.EXCEPTION, "the device reports a failure of its own"),
    5: (Reason.BUSY, "the device is still working on it"),
    6: (Reason.BUSY, "the device is busy"),
    8: (Reason.EXCEPTION, "the device reports a memory parity error"),
    10: (Reason.NO_CONNECTION, "the gateway has no path to the device"),
    11: (Reason.TIMEOUT, "the device behind the gateway did not answer"),
}


class Request(NamedTuple):
    """What was asked, so that an answer can be held against it."""

    unit: int
    pdu: bytes
    answer: int  # length of the right answer's PDU

    @property
    def acts(self) -> bool:
        """Whether it changes what the device holds."""
        return self.pdu[0] in WRITES


class Frame(NamedTuple):
    """One answer as it came."""

    transaction: int
    unit: int
    pdu: bytes


class Malformed(Exception):  # noqa: N818 - the stream's state, caught where the connection is dropped
    """The stream is no Modbus TCP: nothing after it can be trusted."""


def read_request(unit: int, function: int, address: int, count: int) -> Request:
    """Read `count` registers (function 3 or 4) or bits (function 1 or 2)."""
    size = (count + 7) // 8 if function in READ_BITS else 2 * count
    return Request(unit, struct.pack(">BHH", function, address, count), 2 + size)


def write_request(unit: int, address: int, registers: bytes) -> Request:
    """Write registers (function 16)."""
    count = len(registers) // 2
    head = struct.pack(">BHHB", WRITE_MANY, address, count, len(registers))
    return Request(unit, head + registers, 5)


def pack(transaction: int, request: Request) -> bytes:
    """The request's frame."""
    return HEADER.pack(transaction, 0, len(request.pdu) + 1, request.unit) + request.pdu


def take(buffer: bytearray) -> Iterator[Frame]:
    """Remove and give the whole frames at the front of `buffer`.

    Raises:
        Malformed: the protocol id is not 0, or the length can't be.
    """
    while len(buffer) >= HEADER.size:
        transaction, protocol, length, unit = HEADER.unpack_from(buffer)
        if protocol or not 3 <= length <= LONGEST:
            raise Malformed(f"protocol id {protocol}, length {length}")
        if len(buffer) < 6 + length:
            return
        pdu = bytes(buffer[7 : 6 + length])
        del buffer[: 6 + length]
        yield Frame(transaction, unit, pdu)


def payload(request: Request, frame: Frame) -> bytes | LinkFault:
    """The registers of a right answer (bits as registers of 0 and 1), or what is wrong with it."""
    function, pdu = request.pdu[0], frame.pdu
    if frame.unit != request.unit:
        return _malformed(f"unit {frame.unit} answered for unit {request.unit}")
    if pdu[0] == function | 0x80 and len(pdu) == 2:
        reason, text = EXCEPTIONS.get(pdu[1], (Reason.EXCEPTION, "unknown exception"))
        return DeviceFault(reason, pdu[1], f"{text} (Modbus exception {pdu[1]})")
    if pdu[0] != function:
        return _malformed(f"function {pdu[0]} answered function {function}")
    if len(pdu) != request.answer:
        return _malformed(f"{len(pdu)} bytes came instead of {request.answer}")
    if function == WRITE_MANY:
        return b"" if pdu[1:5] == request.pdu[1:5] else _malformed("another write was confirmed")
    if pdu[1] != len(pdu) - 2:
        return _malformed("the byte count does not fit")
    return _spread(pdu[2:], request) if function in READ_BITS else pdu[2:]


def _spread(packed: bytes, request: Request) -> bytes:
    """Bits as registers that hold 0 or 1, so that one codec serves all four tables of Modbus."""
    count = int.from_bytes(request.pdu[3:5])
    return b"".join(_BIT[packed[i >> 3] >> (i & 7) & 1] for i in range(count))


def _malformed(what: str) -> LinkFault:
    return LinkFault(Reason.MALFORMED, what)
