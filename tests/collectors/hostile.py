"""Modbus servers that misbehave on purpose, on real loopback sockets."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Answer = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


class Asked:
    """One request as it came."""

    def __init__(self, frame: bytes, number: int) -> None:
        self.transaction, _, _, self.unit, self.function = struct.unpack(">HHHBB", frame[:8])
        self.address, self.count = struct.unpack(">HH", frame[8:12])
        self.data = frame[13:]  # of a write
        self.number = number  # of the request, over all connections

    def frame(self, pdu: bytes, transaction: int | None = None, unit: int | None = None) -> bytes:
        number = self.transaction if transaction is None else transaction
        return struct.pack(">HHHB", number, 0, len(pdu) + 1, self.unit if unit is None else unit) + pdu

    def right(self, value: int = 7) -> bytes:
        """A right answer: every register holds `value`."""
        body = struct.pack(">H", value) * self.count
        return self.frame(bytes((self.function, len(body))) + body)


class Hostile:
    """A server, and what it saw."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None) -> None:
        self.port = 0
        self.requests = 0
        self.connections = 0
        self.open = 0  # connections now
        self.most_open = 0
        self.asked: list[tuple[float, int, int, int]] = []  # loop time, unit, address, count
        self.connected_s: list[float] = []  # loop time
        self._answer, self._context = answer, context
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", port, ssl=self._context)
        self._server, self.port = server, server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()

    async def closed(self) -> None:
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def again(self) -> None:
        """Serve the same port once more after `close`."""
        await self.closed()
        await self.start(self.port)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self.connected_s.append(loop.time())
        try:
            while True:
                head = await reader.readexactly(6)
                frame = head + await reader.readexactly(int.from_bytes(head[4:6]))
                self.requests += 1
                asked = Asked(frame, self.requests)
                self.asked.append((loop.time(), asked.unit, asked.address, asked.count))
                await self._answer(asked, writer)
        except (EOFError, OSError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def hostile(
    answer: Answer, context: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Hostile]:
    """Serve `answer`, which is called once per request."""
    server = Hostile(answer, context)
    await server.start(port)
    try:
        yield server
    finally:
        await server.closed()
