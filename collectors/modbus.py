"""A Modbus line shared by its units: connected when needed, given time when it fails, asked with manners."""

import asyncio
import ssl
from collections.abc import Awaitable
from typing import Protocol

from igoudar.collectors import frames
from igoudar.collectors.faults import Backoff, DeviceFault, LinkFault, Withheld
from igoudar.collectors.patience import Patience
from igoudar.collectors.readers import Permit
from igoudar.collectors.turns import Turns
from igoudar.core.model import ModbusRules, Reason

BUSY_TRIES = 3
BUSY_PAUSE_S = 0.1
ACKNOWLEDGE = 5  # exception: accepted, and still being worked on


class Line(Protocol):
    """An open way to the units: a TCP connection or a serial port."""

    late: int  # answers that came after their request had been given up
    tardy: set[int]  # units whose answers came so
    proven: bool  # it gave at least one right answer

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        ...

    def send(
        self, request: frames.Request, timeout_s: float, *, known_silent: bool = False
    ) -> Awaitable[bytes]:
        """The answer's registers, or LinkFault."""
        ...

    def close(self) -> None:
        """Close at once."""
        ...


class Dial(Protocol):
    """Opens a line."""

    @property
    def where(self) -> str:
        """What to call it in messages."""
        ...

    def __call__(self, timeout_s: float) -> Awaitable[Line]:
        """Open it, or raise OSError; `timeout_s` is the product's."""
        ...


class ModbusLink:
    """A line that is opened when needed and given time when it fails.

    Args:
        dial: How to open it.
        rules: The product's manners: timeouts, pauses, requests in flight.
        backoff: When to try again after a failure.
    """

    def __init__(self, dial: Dial, rules: ModbusRules, backoff: Backoff | None = None) -> None:
        self.rules = rules
        self.generation = 0  # counts connections: a reader sees by it that the line was cut
        self.connected_s = float("-inf")  # monotonic
        self.late = 0
        self._dial = dial
        self._line: Line | None = None
        self._users = 0
        self._connecting = asyncio.Lock()
        self._turns = Turns(1 if rules.pause_s else rules.in_flight)
        self._backoff = backoff or Backoff()
        self._patience: dict[int, Patience] = {}

    @property
    def where(self) -> str:
        """What it leads to."""
        return self._dial.where

    async def read(
        self, unit: int, function: int, address: int, count: int, *, urgent: bool = False
    ) -> bytes:
        """Read registers; bits (functions 1 and 2) come as registers that hold 0 or 1.

        What belongs to a setpoint is `urgent`: it does not wait for polls that wait themselves.

        Raises:
            LinkFault: with the reason; DeviceFault when the device itself refused.
        """
        return await self._ask(frames.read_request(unit, function, address, count), urgent=urgent)

    async def write(self, unit: int, address: int, registers: bytes, permit: Permit) -> None:
        """Write registers with function 16, once `permit` was asked at the head of the queue.

        Raises:
            LinkFault: the write is not known to have happened; Withheld: it was not sent.
        """
        await self._ask(frames.write_request(unit, address, registers), permit, urgent=True)

    async def connect(self) -> None:
        """Connect if not connected.

        Raises:
            LinkFault: no connection, or too early to try again.
        """
        await self._connected()

    def enter(self) -> None:
        """Somebody begins a turn; every `enter` has its `leave`."""
        self._users += 1

    def leave(self) -> None:
        """A turn ended: a device that serves one client gets its socket back when nobody is left."""
        self._users -= 1
        if self.rules.single_client and not self._users:
            self._judge_last()

    def release(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._line is not None:
            self.late += self._line.late
            self._line.close()
            self._line = None

    async def _ask(self, request: frames.Request, permit: Permit | None = None, *, urgent: bool) -> bytes:
        for tried in range(BUSY_TRIES):
            try:
                return await self._once(request, permit, urgent=urgent)
            except Withheld as withheld:
                if not tried:
                    raise
                what = "sent before, then withheld"
                raise LinkFault(Reason.BUSY, what, where=self.where) from withheld
            except DeviceFault as fault:
                if permit is not None and fault.code == ACKNOWLEDGE:
                    return b""  # it was taken and takes its time: only reading back tells
                if fault.reason is not Reason.BUSY or tried == BUSY_TRIES - 1:
                    raise
            await asyncio.sleep(BUSY_PAUSE_S)
        raise AssertionError  # the last try returned or raised

    async def _once(self, request: frames.Request, permit: Permit | None, *, urgent: bool) -> bytes:
        await self._turns.take(urgent=urgent)
        try:
            line = self._line if self._line is not None and self._line.alive else await self._connected()
            if permit is not None:
                permit()
            try:
                return await self._timed(line, request)
            finally:
                if self.rules.pause_s:
                    await asyncio.sleep(self.rules.pause_s)
        finally:
            self._turns.give()

    async def _timed(self, line: Line, request: frames.Request) -> bytes:
        """Send one request with the time that its unit deserves, and learn from how it answers."""
        loop, patience = asyncio.get_running_loop(), self._of(request.unit, line)
        began_s = loop.time()
        try:
            answer = await line.send(request, patience.timeout_s, known_silent=patience.silences > 0)
        except DeviceFault:
            patience.answered(loop.time() - began_s)
            raise
        except LinkFault as fault:
            if fault.reason is Reason.TIMEOUT:
                patience.silent()
            raise
        patience.answered(loop.time() - began_s)
        return answer

    def _of(self, unit: int, line: Line) -> Patience:
        patience = self._patience.get(unit)
        if patience is None:
            patience = self._patience[unit] = Patience(self.rules.timeout_s)
        if unit in line.tardy:
            line.tardy.discard(unit)
            patience.late()
        return patience

    async def _connected(self) -> Line:
        if self._line is not None and self._line.alive:
            return self._line
        async with self._connecting:
            if self._line is None or not self._line.alive:
                self._judge_last()
                self._line = await self._connect()
            return self._line

    def _judge_last(self) -> None:
        """A connection that never gave an answer counts as a failed attempt."""
        if self._line is None:
            return
        if self._line.proven:
            self._backoff.succeeded()
        else:
            self._backoff.failed(asyncio.get_running_loop().time())
        self.release()

    async def _connect(self) -> Line:
        loop = asyncio.get_running_loop()
        if not self._backoff.due(loop.time()):
            raise LinkFault(Reason.NO_CONNECTION, "not connected; waiting to try again", where=self.where)
        try:
            async with asyncio.timeout(self.rules.timeout_s):
                line = await self._dial(self.rules.timeout_s)
        except OSError as error:  # TimeoutError is one
            self._backoff.failed(loop.time())
            raise _unreachable(error, self.where) from error
        try:
            await asyncio.sleep(self.rules.connect_pause_s)
        except asyncio.CancelledError:
            line.close()  # nobody knows of it yet
            raise
        self.generation += 1
        self.connected_s = loop.time()
        return line


def _unreachable(error: OSError, where: str) -> LinkFault:
    if isinstance(error, ssl.SSLError):
        fix = "check the files of [links.tls], and that both sides trust each other's certificate"
        return LinkFault(Reason.NO_CONNECTION, f"no TLS connection ({error})", where=where, fix=fix)
    what = "it does not answer in time" if isinstance(error, TimeoutError) else str(error)
    return LinkFault(Reason.NO_CONNECTION, f"can't connect ({what})", where=where)
