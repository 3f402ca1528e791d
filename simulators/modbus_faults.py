"""What a device with a fault puts on a Modbus TCP wire in the place of its right answer."""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from igoudar.simulators.faults import Fault, FaultKind

HEADER = struct.Struct(">HHHB")
PAIR = struct.Struct(">HH")
READS = (3, 4)
PIECE_S = 0.001  # wall, between the pieces of a split answer
BUSY, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 6, 2, 3


@dataclass(slots=True)
class Line:
    """What faults have to know of one connection; times are monotonic [s]."""

    connected_s: float
    answered_s: float
    number: int = 1  # the first connection to its host, the second ...
    frozen: dict[bytes, bytes] = field(default_factory=dict)  # first answer by request


class Asked(NamedTuple):
    """One request and the right answer to it, both without their headers."""

    transaction: int
    unit: int
    request: bytes
    answer: bytes


class Sent(NamedTuple):
    """What goes out instead, piece by piece, after `delay_s` (wall); `hang_up` closes the connection."""

    pieces: tuple[bytes, ...] = ()
    delay_s: float = 0.0
    hang_up: bool = False


SILENCE = Sent()
HANG_UP = Sent(hang_up=True)


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """One Modbus TCP frame around `pdu`."""
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def right(asked: Asked) -> bytes:
    """The frame of a device that works."""
    return frame(asked.transaction, asked.unit, asked.answer)


def instead(fault: Fault, asked: Asked, line: Line, now_s: float) -> Sent:
    """The answer of a device with `fault` at monotonic `now_s`."""
    if fault.kind in (FaultKind.DEAD, FaultKind.HANG_UP, FaultKind.ONE_CLIENT, FaultKind.HURRIED):
        return _withheld(fault, asked, line, now_s)
    if fault.kind is FaultKind.UNSETTLED:
        settled = now_s - line.connected_s >= fault.delay_s
        return Sent((right(asked),) if settled else (right(_filled(asked, 0xFFFF)),))
    whole = _bytes(fault, asked, line)
    if fault.kind is FaultKind.SPLIT:
        return Sent(tuple(whole[i : i + fault.number] for i in range(0, len(whole), fault.number)))
    return Sent((whole,), fault.delay_s)


def send_in_pieces(sent: Sent, write: Callable[[bytes], None]) -> None:
    """Write the pieces in their order, each in a segment of its own, the first after the delay."""
    loop = asyncio.get_running_loop()
    for number, piece in enumerate(sent.pieces):
        loop.call_later(sent.delay_s + PIECE_S * number, write, piece)


def _withheld(fault: Fault, asked: Asked, line: Line, now_s: float) -> Sent:
    """Faults that say nothing, or nothing to this client."""
    if fault.kind is FaultKind.DEAD:
        return SILENCE
    if fault.kind is FaultKind.HURRIED:
        rested = now_s - max(line.answered_s, line.connected_s) >= fault.delay_s
        return Sent((right(asked),)) if rested else SILENCE
    refused = fault.kind is FaultKind.HANG_UP or line.number > 1
    return HANG_UP if refused else Sent((right(asked),))


def _bytes(fault: Fault, asked: Asked, line: Line) -> bytes:
    """Faults that answer at once with other bytes."""
    transaction, unit, request, answer = asked
    match fault.kind:
        case FaultKind.WRONG_UNIT:
            return frame(transaction, unit % 247 + 1, answer)
        case FaultKind.WRONG_TRANSACTION:
            return frame((transaction + fault.number) & 0xFFFF, unit, answer)
        case FaultKind.WRONG_FUNCTION:
            return frame(transaction, unit, bytes((answer[0] ^ 0x07,)) + answer[1:])
        case FaultKind.GARBAGE:  # the byte count promises more registers than follow
            return frame(transaction, unit, bytes((request[0], 250)) + b"\xde\xad")
        case FaultKind.WRONG_LENGTH:
            return frame(transaction, unit, _shorter(asked, fault.number))
        case FaultKind.MERGED:
            return 2 * right(asked)
        case FaultKind.FROZEN:
            return frame(transaction, unit, line.frozen.setdefault(bytes((unit,)) + request, answer))
        case FaultKind.SENTINEL | FaultKind.ZERO:
            return right(_filled(asked, fault.number))
        case _:
            code = _refused(fault, request)
            return frame(transaction, unit, bytes((request[0] | 0x80, code))) if code else right(asked)


def _refused(fault: Fault, request: bytes) -> int:
    """The exception code for this request, 0 for none."""
    if fault.kind is FaultKind.EXCEPTION:
        return fault.number
    if request[0] in READS and len(request) == 5:
        address, count = PAIR.unpack_from(request, 1)
        if fault.kind is FaultKind.NARROW and count > fault.number:
            return ILLEGAL_VALUE
        if fault.kind is FaultKind.HOLE and address <= fault.number < address + count:
            return ILLEGAL_ADDRESS
    return BUSY if fault.kind is FaultKind.BUSY else 0


def _filled(asked: Asked, register: int) -> Asked:
    """The answer to a read with the same pattern in every register; any other answer as it is."""
    if asked.answer[0] not in READS:
        return asked
    count = asked.answer[1] // 2
    return asked._replace(answer=asked.answer[:2] + register.to_bytes(2) * count)


def _shorter(asked: Asked, registers: int) -> bytes:
    """A read's answer without its last registers, its byte count in keeping with it."""
    if asked.answer[0] not in READS:
        return asked.answer
    kept = max(0, asked.answer[1] - 2 * registers)
    return bytes((asked.answer[0], kept)) + asked.answer[2 : 2 + kept]
