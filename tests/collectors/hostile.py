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
        self.number = number  # of the request, over all connections

    def frame(self, pdu: bytes, transaction: int | None = None, unit: int | None = None) -> bytes:
        number = self.transaction if transaction is None else transaction
        return struct.pack(">HHHB", number, 0, len(pdu) + 1, self.unit if unit is None else unit) + pdu

    def right(self, value: int = 7) -> bytes:
        """A right answer: every register holds `value`."""
        body = struct.pack(">H", value) * self.count
        return self.frame(bytes((self.function, len(body))) + body)


class Hostile:
    """What a server saw."""

    def __init__(self) -> None:
        self.port = 0
        self.requests = 0
        self.connections = 0
        self.open = 0  # connections now
        self.most_open = 0
        self.asked: list[tuple[float, int, int, int]] = []  # loop time, unit, address, count
        self.connected_s: list[float] = []  # loop time


@asynccontextmanager
async def hostile(
    answer: Answer, context: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Hostile]:
    """Serve `answer`, which is called once per request."""
    seen = Hostile()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        seen.connections += 1
        seen.open += 1
        seen.most_open = max(seen.most_open, seen.open)
        seen.connected_s.append(loop.time())
        try:
            while True:
                head = await reader.readexactly(6)
                frame = head + await reader.readexactly(int.from_bytes(head[4:6]))
                seen.requests += 1
                asked = Asked(frame, seen.requests)
                seen.asked.append((loop.time(), asked.unit, asked.address, asked.count))
                await answer(asked, writer)
        except (EOFError, OSError, asyncio.CancelledError):
            pass
        finally:
            seen.open -= 1
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=context)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
