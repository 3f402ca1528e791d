"""A strict Modbus TCP client: one connection, shared by all units behind its host and port."""

import asyncio
from typing import NamedTuple, cast

from igoudar.collectors import frames
from igoudar.collectors.faults import Backoff, DeviceFault, LinkFault
from igoudar.core.model import ModbusRules, Reason

STRAYS = 3  # answers in a row that fit nothing asked, or silences: then the connection is not worth keeping
BUSY_TRIES = 3
BUSY_PAUSE_S = 0.1


class Pending(NamedTuple):
    """A request under way."""

    request: frames.Request
    future: asyncio.Future[bytes]
    timer: asyncio.TimerHandle


class Wire(asyncio.Protocol):
    """One TCP connection: matches answers to requests, and trusts nothing else."""

    def __init__(self) -> None:
        self.late = 0  # answers that came after their request had been given up
        self.proven = False  # it gave at least one right answer
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._pending: dict[int, Pending] = {}
        self._transaction = 0
        self._strays = 0

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, but not by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail everything under way at once: a dead wire is no reason to wait."""
        self._transport = None
        text = f"the connection was lost ({exc})" if exc else "the device closed the connection"
        for pending in self._drain():
            pending.future.set_exception(LinkFault(Reason.NO_CONNECTION, text))

    def data_received(self, data: bytes) -> None:
        """Collect split frames, part merged ones."""
        self._buffer += data
        try:
            for frame in frames.take(self._buffer):
                self._answer(frame)
        except frames.Malformed as error:
            self._break(f"what came is no Modbus TCP ({error})")

    def send(self, request: frames.Request, timeout_s: float) -> asyncio.Future[bytes]:
        """Send now; the future gives the answer's registers or raises LinkFault."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        if self._transport is None:
            future.set_exception(LinkFault(Reason.NO_CONNECTION, "not connected"))
            return future
        self._transaction = self._transaction % 0xFFFF + 1
        timer = loop.call_later(timeout_s, self._expire, self._transaction)
        self._pending[self._transaction] = Pending(request, future, timer)
        self._transport.write(frames.pack(self._transaction, request))
        return future

    def close(self) -> None:
        """Close at once, without lingering."""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, frame: frames.Frame) -> None:
        pending = self._pending.pop(frame.transaction, None)
        if pending is None:
            self.late += 1
            self._stray("answers keep coming that fit no request")
            return
        pending.timer.cancel()
        result = frames.payload(pending.request, frame)
        if isinstance(result, bytes):
            self._strays, self.proven = 0, True
            _resolve(pending.future, result)
            return
        _fail(pending.future, result)
        if isinstance(result, DeviceFault):
            self._strays, self.proven = 0, True
        else:
            self._stray("answers keep coming that do not fit their requests")

    def _expire(self, transaction: int) -> None:
        if (pending := self._pending.pop(transaction, None)) is None:
            return
        _fail(pending.future, LinkFault(Reason.TIMEOUT, "no answer in time"))
        self._stray("several requests in a row got no answer")

    def _stray(self, what: str) -> None:
        self._strays += 1
        if self._strays >= STRAYS:
            self._break(what)

    def _break(self, what: str) -> None:
        for pending in self._drain():
            _fail(pending.future, LinkFault(Reason.MALFORMED, what))
        self.close()

    def _drain(self) -> list[Pending]:
        pending, self._pending = list(self._pending.values()), {}
        for each in pending:
            each.timer.cancel()
        return [each for each in pending if not each.future.done()]


def _resolve(future: asyncio.Future[bytes], value: bytes) -> None:
    if not future.done():  # its caller may have been cancelled
        future.set_result(value)


def _fail(future: asyncio.Future[bytes], fault: LinkFault) -> None:
    if not future.done():
        future.set_exception(fault)


class ModbusLink:
    """A host and port that is connected when needed and given time when it fails.

    Args:
        host: Host name or address.
        port: TCP port.
        rules: The product's manners: timeouts, pauses, requests in flight.
    """

    def __init__(self, host: str, port: int, rules: ModbusRules, backoff: Backoff | None = None) -> None:
        self.host, self.port, self.rules = host, port, rules
        self.generation = 0  # counts connections: a reader sees by it that the wire was cut
        self.connected_s = float("-inf")  # monotonic
        self.late = 0
        self._wire: Wire | None = None
        self._connecting = asyncio.Lock()
        self._slots = asyncio.Semaphore(rules.in_flight)
        self._backoff = backoff or Backoff()

    @property
    def where(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    async def read(self, unit: int, function: int, address: int, count: int) -> bytes:
        """Read registers.

        Raises:
            LinkFault: with the reason; DeviceFault when the device itself refused.
        """
        return await self._ask(frames.read_request(unit, function, address, count))

    async def write(self, unit: int, address: int, registers: bytes) -> None:
        """Write registers with function 16.

        Raises:
            LinkFault: the write is not known to have happened.
        """
        await self._ask(frames.write_request(unit, address, registers))

    async def connect(self) -> None:
        """Connect if not connected.

        Raises:
            LinkFault: no connection, or too early to try again.
        """
        await self._connected()

    def release(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._wire is not None:
            self.late += self._wire.late
            self._wire.close()
            self._wire = None

    async def _ask(self, request: frames.Request) -> bytes:
        for left in range(BUSY_TRIES - 1, -1, -1):
            try:
                return await self._once(request)
            except DeviceFault as fault:
                if fault.reason is not Reason.BUSY or not left:
                    raise
            await asyncio.sleep(BUSY_PAUSE_S)
        raise AssertionError  # the last try returned or raised

    async def _once(self, request: frames.Request) -> bytes:
        async with self._slots:
            wire = await self._connected()
            try:
                return await wire.send(request, self.rules.timeout_s)
            finally:
                if self.rules.pause_s:
                    await asyncio.sleep(self.rules.pause_s)

    async def _connected(self) -> Wire:
        async with self._connecting:
            if self._wire is not None and self._wire.alive:
                return self._wire
            self._judge_last()
            self._wire = await self._connect()
            return self._wire

    def _judge_last(self) -> None:
        """A connection that never gave an answer counts as a failed attempt."""
        if self._wire is None:
            return
        if self._wire.proven:
            self._backoff.succeeded()
        else:
            self._backoff.failed(asyncio.get_running_loop().time())
        self.release()

    async def _connect(self) -> Wire:
        loop = asyncio.get_running_loop()
        if not self._backoff.due(loop.time()):
            raise LinkFault(Reason.NO_CONNECTION, "not connected; waiting to try again", where=self.where)
        try:
            async with asyncio.timeout(self.rules.timeout_s):
                _, wire = await loop.create_connection(Wire, self.host, self.port)
        except OSError as error:  # TimeoutError is one
            self._backoff.failed(loop.time())
            raise LinkFault(Reason.NO_CONNECTION, f"can't connect ({error})", where=self.where) from error
        self.generation += 1
        self.connected_s = loop.time()
        await asyncio.sleep(self.rules.connect_pause_s)
        return wire
