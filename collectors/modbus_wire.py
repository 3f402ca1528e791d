"""One Modbus TCP connection: matches answers to requests, and trusts nothing else."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import NamedTuple, cast

from igoudar.collectors import frames
from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.sockets import discard, give_up_after
from igoudar.core.model import Reason

STRAYS = 3  # answers in a row that fit nothing asked, or silences: then the connection is not worth keeping
DEAF_TIMEOUTS = 4.0  # without any answer for this long, known silences count against the connection too


class Pending(NamedTuple):
    """A request under way."""

    request: frames.Request
    future: asyncio.Future[bytes]
    until_s: float  # loop time
    known_silent: bool


class Wire(asyncio.Protocol):
    """The client's end of a connection.

    Args:
        timeout_s: The product's timeout [s]; the judgement of silence is measured by it.
    """

    def __init__(self, timeout_s: float) -> None:
        self.late = 0  # answers that came after their request had been given up
        self.tardy: set[int] = set()  # units whose answers came so
        self.proven = False  # it gave at least one right answer
        self._timeout_s = timeout_s
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._pending: dict[int, Pending] = {}
        self._timer: asyncio.TimerHandle | None = None  # one for all: answers seldom fail to come
        self._timer_s = 0.0
        self._transaction = 0
        self._strays = 0
        self._surprised = False  # one of the strays was not to be expected
        self._heard_s = 0.0  # monotonic

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, but not by inheritance
        self._heard_s = asyncio.get_running_loop().time()

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

    def send(
        self, request: frames.Request, timeout_s: float, *, known_silent: bool = False
    ) -> asyncio.Future[bytes]:
        """Send now; the future gives the answer's registers or raises LinkFault.

        Args:
            request: What to ask.
            timeout_s: When to give up [s].
            known_silent: The unit did not answer the last time either: another silence says little about
                the connection.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        if self._transport is None:
            future.set_exception(LinkFault(Reason.NO_CONNECTION, "not connected"))
            return future
        self._transaction = self._transaction % 0xFFFF + 1
        until_s = loop.time() + timeout_s
        self._pending[self._transaction] = Pending(request, future, until_s, known_silent)
        if self._timer is None or until_s < self._timer_s:
            self._look_at(until_s)
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
            self.tardy.add(frame.unit)
            self._stray("answers keep coming that fit no request")
            return
        result = frames.payload(pending.request, frame)
        if isinstance(result, bytes):
            self._trust()
            _resolve(pending.future, result)
            return
        _fail(pending.future, result)
        if isinstance(result, DeviceFault):
            self._trust()
        else:
            self._stray("answers keep coming that do not fit their requests")

    def _trust(self) -> None:
        self._strays, self._surprised, self.proven = 0, False, True
        self._heard_s = asyncio.get_running_loop().time()

    def _look_at(self, at_s: float) -> None:
        """Look for silent requests at `at_s`, and not when the timer would have."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = at_s
        self._timer = asyncio.get_running_loop().call_at(at_s, self._look)

    def _look(self) -> None:
        self._timer = None
        now_s = asyncio.get_running_loop().time()
        for transaction, pending in tuple(self._pending.items()):
            if pending.until_s <= now_s:
                self._expire(transaction)
        if self._pending:
            self._look_at(min(pending.until_s for pending in self._pending.values()))

    def _expire(self, transaction: int) -> None:
        if (pending := self._pending.pop(transaction, None)) is None:
            return
        _fail(pending.future, LinkFault(Reason.TIMEOUT, "no answer in time"))
        deaf_s = asyncio.get_running_loop().time() - self._heard_s
        if pending.request.acts:
            self._forsake()
            return
        expected = pending.known_silent and deaf_s < DEAF_TIMEOUTS * self._timeout_s
        self._stray("several requests in a row got no answer", expected=expected)

    def _stray(self, what: str, *, expected: bool = False) -> None:
        self._strays += 1
        self._surprised |= not expected
        if self._strays >= STRAYS and self._surprised:
            self._break(what)

    def _break(self, what: str) -> None:
        for pending in self._drain():
            _fail(pending.future, LinkFault(Reason.MALFORMED, what))
        self.close()

    def _forsake(self) -> None:
        """A write that was given up must not reach the device later: nothing waits in the connection."""
        for pending in self._drain():
            _fail(pending.future, LinkFault(Reason.NO_CONNECTION, "closed: a write got no answer in time"))
        if self._transport is not None:
            discard(self._transport)

    def _drain(self) -> list[Pending]:
        pending, self._pending = list(self._pending.values()), {}
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return [each for each in pending if not each.future.done()]


def _resolve(future: asyncio.Future[bytes], value: bytes) -> None:
    if not future.done():  # its caller may have been cancelled
        future.set_result(value)


def _fail(future: asyncio.Future[bytes], fault: LinkFault) -> None:
    if not future.done():
        future.set_exception(fault)


@dataclass(frozen=True, slots=True)
class Tcp:
    """How to reach a device by TCP, by TLS when there is a `context`."""

    host: str
    port: int
    context: ssl.SSLContext | None = None

    @property
    def where(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    async def __call__(self, timeout_s: float) -> Wire:
        """Connect; the caller bounds the time.

        Raises:
            OSError: no connection, or a peer that can't be trusted.
        """
        loop = asyncio.get_running_loop()
        transport, wire = await loop.create_connection(
            lambda: Wire(timeout_s), self.host, self.port, ssl=self.context
        )
        give_up_after(transport, timeout_s)
        return wire
