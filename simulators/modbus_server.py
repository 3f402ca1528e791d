"""A strict Modbus TCP server: many units behind one port.

Source: MODBUS Application Protocol V1.1b3 and MODBUS Messaging on TCP/IP V1.0b (Modbus Organization).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Protocol, Self, cast

from igoudar.simulators.faults import Fault
from igoudar.simulators.modbus_faults import (
    HEADER,
    PAIR,
    Asked,
    Line,
    Sent,
    frame,
    instead,
    right,
    send_in_pieces,
)

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4
NO_TARGET = 0x0B  # gateway target device failed to respond

READ_COILS, READ_DISCRETE = 1, 2
READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16
MAX_READ, MAX_WRITE = 125, 123


class ModbusRefusal(Exception):  # noqa: N818  # the standard's word is "exception response": an answer, not a fault
    """A request answered with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code}")
        self.code = code


class Unit(Protocol):
    """The registers of one device."""

    name: str

    def read(self, function: int, address: int, count: int) -> bytes:
        """`count` big-endian registers; ModbusRefusal when there are none."""
        ...

    def write(self, address: int, data: bytes) -> None:
        """Take big-endian registers into the holding registers; ModbusRefusal when they can't be."""
        ...


def answer(unit: Unit, pdu: bytes) -> bytes:
    """The answer to one request, exception answers included."""
    try:
        return _execute(unit, pdu)
    except ModbusRefusal as refusal:
        return bytes((pdu[0] | 0x80, refusal.code))


def _execute(unit: Unit, pdu: bytes) -> bytes:
    function = pdu[0]
    if function in (READ_HOLDING, READ_INPUT):
        return _read(unit, function, pdu)
    if function in (READ_COILS, READ_DISCRETE):
        return _read_bits(unit, function, pdu)
    if function == WRITE_ONE:
        return _write_one(unit, pdu)
    if function == WRITE_MANY:
        return _write_many(unit, pdu)
    raise ModbusRefusal(ILLEGAL_FUNCTION)


def _read(unit: Unit, function: int, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise ModbusRefusal(ILLEGAL_VALUE)
    address, count = PAIR.unpack_from(pdu, 1)
    _check(address, count, MAX_READ)
    return bytes((function, 2 * count)) + unit.read(function, address, count)


def _read_bits(unit: Unit, function: int, pdu: bytes) -> bytes:
    """Bits are held as registers of 0 and 1, as the profile has them."""
    if len(pdu) != 5:
        raise ModbusRefusal(ILLEGAL_VALUE)
    address, count = PAIR.unpack_from(pdu, 1)
    _check(address, count, MAX_READ)
    bits = unit.read(function, address, count)[1::2]
    packed = bytes(
        sum((bit & 1) << i for i, bit in enumerate(bits[at : at + 8])) for at in range(0, count, 8)
    )
    return bytes((function, len(packed))) + packed


def _write_one(unit: Unit, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise ModbusRefusal(ILLEGAL_VALUE)
    unit.write(PAIR.unpack_from(pdu, 1)[0], pdu[3:5])
    return pdu


def _write_many(unit: Unit, pdu: bytes) -> bytes:
    if len(pdu) < 6:
        raise ModbusRefusal(ILLEGAL_VALUE)
    address, count = PAIR.unpack_from(pdu, 1)
    _check(address, count, MAX_WRITE)
    if pdu[5] != 2 * count or len(pdu) != 6 + 2 * count:
        raise ModbusRefusal(ILLEGAL_VALUE)
    unit.write(address, pdu[6:])
    return pdu[:5]


def _check(address: int, count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise ModbusRefusal(ILLEGAL_VALUE)
    if address + count > 0x10000:
        raise ModbusRefusal(ILLEGAL_ADDRESS)


class Gateway:
    """What answers behind one host and port.

    Args:
        units: Devices by unit id, 1 to 247.
        fault: Tells the fault of a device by name, None when it works.
    """

    def __init__(self, units: Mapping[int, Unit], fault: Callable[[str], Fault | None]) -> None:
        self._units, self._fault = units, fault
        self._connections: set[Connection] = set()

    def opened(self, connection: "Connection") -> int:
        """Remember a connection; how many there are now."""
        self._connections.add(connection)
        return len(self._connections)

    def closed(self, connection: "Connection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def abort(self) -> None:
        """Close every connection at once."""
        for connection in tuple(self._connections):
            connection.abort()

    def reply(self, transaction: int, number: int, pdu: bytes, line: Line) -> Sent:
        """What to send for one request."""
        unit = self._units.get(number)
        if unit is None:
            return Sent((frame(transaction, number, bytes((pdu[0] | 0x80, NO_TARGET))),))
        asked = Asked(transaction, number, pdu, answer(unit, pdu))
        fault = self._fault(unit.name)
        return Sent((right(asked),)) if fault is None else instead(fault, asked, line, time.monotonic())


class ModbusServer:
    """Serves `units` (by unit id) on a free loopback port while the context is open; see Gateway."""

    def __init__(self, units: Mapping[int, Unit], fault: Callable[[str], Fault | None]) -> None:
        self.port = 0
        self._gateway = Gateway(units, fault)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(lambda _: self._gateway), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None  # noqa: S101  # set on entry
        self._server.close()
        self._gateway.abort()
        await self._server.wait_closed()


class Connection(asyncio.Protocol):
    """One client: cuts frames out of the stream and answers them in order.

    Args:
        choose: Which gateway the client has reached, by its transport.
    """

    def __init__(self, choose: Callable[[asyncio.BaseTransport], Gateway | None]) -> None:
        self._choose = choose
        self._gateway: Gateway | None = None
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        now_s = time.monotonic()
        self._line = Line(now_s, now_s)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find the gateway; a host that is none is hung up on."""
        # uvloop's transport is one, but not by inheritance
        self._transport = cast("asyncio.Transport", transport)
        self._gateway = self._choose(transport)
        if self._gateway is None:
            self._transport.abort()
        else:
            self._line.number = self._gateway.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._transport = None
        if self._gateway is not None:
            self._gateway.closed(self)

    def abort(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer the whole frames among what came so far."""
        self._buffer += data
        while self._transport is not None and self._gateway is not None and len(self._buffer) >= 8:
            transaction, protocol, length, unit = HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= 254:
                self.abort()  # the stream is out of step: nothing after this can be trusted
                return
            if len(self._buffer) < 6 + length:
                return
            pdu = bytes(self._buffer[7 : 6 + length])
            del self._buffer[: 6 + length]
            self._send(self._gateway.reply(transaction, unit, pdu, self._line))

    def _send(self, sent: Sent) -> None:
        if sent.hang_up:
            self.abort()
        elif sent.delay_s > 0 or len(sent.pieces) > 1:
            send_in_pieces(sent, self._write)
        else:
            for piece in sent.pieces:
                self._write(piece)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._line.answered_s = time.monotonic()
            self._transport.write(data)
