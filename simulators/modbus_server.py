"""A strict Modbus TCP server: many units behind one port.

Source: MODBUS Application Protocol V1.1b3 and MODBUS Messaging on TCP/IP V1.0b (Modbus Organization).
"""

import asyncio
import struct
from collections.abc import Callable, Mapping
from typing import Protocol, Self, cast

from igoudar.simulators.faults import Fault, FaultKind

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, BUSY = 1, 2, 3, 4, 6
NO_TARGET = 0x0B  # gateway target device failed to respond

READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16
MAX_READ, MAX_WRITE = 125, 123

_HEADER = struct.Struct(">HHHB")
_PAIR = struct.Struct(">HH")


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
    if function == WRITE_ONE:
        return _write_one(unit, pdu)
    if function == WRITE_MANY:
        return _write_many(unit, pdu)
    raise ModbusRefusal(ILLEGAL_FUNCTION)


def _read(unit: Unit, function: int, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise ModbusRefusal(ILLEGAL_VALUE)
    address, count = _PAIR.unpack_from(pdu, 1)
    _check(address, count, MAX_READ)
    return bytes((function, 2 * count)) + unit.read(function, address, count)


def _write_one(unit: Unit, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise ModbusRefusal(ILLEGAL_VALUE)
    unit.write(_PAIR.unpack_from(pdu, 1)[0], pdu[3:5])
    return pdu


def _write_many(unit: Unit, pdu: bytes) -> bytes:
    if len(pdu) < 6:
        raise ModbusRefusal(ILLEGAL_VALUE)
    address, count = _PAIR.unpack_from(pdu, 1)
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


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """One Modbus TCP frame around `pdu`."""
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


class ModbusServer:
    """Serves `units` (by unit id) on a free loopback port while the context is open.

    Args:
        units: Devices by unit id, 1 to 247.
        fault: Tells the fault of a device by name, None when it works.
    """

    def __init__(self, units: Mapping[int, Unit], fault: Callable[[str], Fault | None]) -> None:
        self.port = 0
        self._units, self._fault = units, fault
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None  # noqa: S101  # set on entry
        self._server.close()
        for connection in tuple(self._connections):
            connection.abort()
        await self._server.wait_closed()

    def opened(self, connection: "_Connection") -> None:
        """Remember a connection, to close it with the server."""
        self._connections.add(connection)

    def closed(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def reply(self, transaction: int, number: int, pdu: bytes) -> tuple[float, bytes]:
        """Wall seconds to wait, and the bytes to send (none: stay silent)."""
        unit = self._units.get(number)
        if unit is None:
            return 0.0, frame(transaction, number, bytes((pdu[0] | 0x80, NO_TARGET)))
        fault = self._fault(unit.name)
        if fault is None:
            return 0.0, frame(transaction, number, answer(unit, pdu))
        return fault.delay_s, _faulty(fault, transaction, number, unit, pdu)


def _faulty(fault: Fault, transaction: int, number: int, unit: Unit, pdu: bytes) -> bytes:
    match fault.kind:
        case FaultKind.DEAD:
            return b""
        case FaultKind.BUSY:
            return frame(transaction, number, bytes((pdu[0] | 0x80, BUSY)))
        case FaultKind.WRONG_UNIT:
            return frame(transaction, number % 247 + 1, answer(unit, pdu))
        case FaultKind.GARBAGE:
            # The byte count promises more registers than follow.
            return frame(transaction, number, bytes((pdu[0], 250)) + b"\xde\xad")
        case _:
            return frame(transaction, number, answer(unit, pdu))


class _Connection(asyncio.Protocol):
    """One client: cuts frames out of the stream and answers them in order."""

    def __init__(self, server: ModbusServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is one, but not by inheritance
        self._transport = cast("asyncio.Transport", transport)
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.closed(self)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._transport is not None and len(self._buffer) >= 8:
            transaction, protocol, length, unit = _HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= 254:
                self.abort()  # the stream is out of step: nothing after this can be trusted
                return
            if len(self._buffer) < 6 + length:
                return
            pdu = bytes(self._buffer[7 : 6 + length])
            del self._buffer[: 6 + length]
            self._send(*self._server.reply(transaction, unit, pdu))

    def _send(self, delay_s: float, data: bytes) -> None:
        if delay_s > 0:
            asyncio.get_running_loop().call_later(delay_s, self._write, data)
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
