"""The collector's local socket: snapshot, subscribe, metrics, single devices and the guarded write."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from igoudar.collectors import wire
from igoudar.collectors.authority import Authority, unpack_authority
from igoudar.collectors.inspector import Inspector
from igoudar.collectors.results import Result
from igoudar.collectors.snapshot import Snapshot
from igoudar.core.errors import ConfigError, IgoudarError, LinkError
from igoudar.core.model import Reading, Setpoint

LOG = logging.getLogger(__name__)

LONGEST_PATH = 107  # bytes of a Unix socket's path (sun_path, with its closing NUL)
BEHIND = 64  # batches a subscriber may lag before it is cut off: it may reconnect, memory can't come back


class Hands(NamedTuple):
    """What acts on the plant."""

    write: Callable[[Setpoint], Awaitable[Result]]  # carries out a setpoint
    obey: Callable[[Authority], None]  # takes an authority, or raises CommandError
    take_off: Callable[[bool, str, str], None]  # hands off or on again, who and why; or raises StoreError


class Server:
    """Answers clients; one task each.

    Args:
        snapshot: Gives the newest of everything.
        metrics: Gives the collector's own figures.
        hands: Act on the plant.
        inspector: Reads and records single devices.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        metrics: Callable[[], Mapping[str, float]],
        hands: Hands,
        inspector: Inspector,
    ) -> None:
        self._snapshot, self._metrics = snapshot, metrics
        self._hands, self._inspector = hands, inspector
        self._clients: set[asyncio.Task[None]] = set()
        self._subscribers: dict[asyncio.StreamWriter, tuple[int, asyncio.Queue[bytes]]] = {}

    @property
    def subscribers(self) -> int:
        """Clients that are sent every batch."""
        return len(self._subscribers)

    def publish(self, readings: Sequence[Reading]) -> None:
        """Send a batch to all subscribers; one that lags too far is cut off."""
        if not self._subscribers:
            return
        packed = [wire.pack_reading(reading) for reading in readings]
        for writer, (number, queue) in tuple(self._subscribers.items()):
            try:
                queue.put_nowait(wire.pack({"id": number, "ok": True, "readings": packed}))
            except asyncio.QueueFull:
                LOG.warning("a subscriber does not keep up and is cut off")
                del self._subscribers[writer]
                writer.close()

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        """Listen on `path`, in a folder of mode 0700, while the context is open.

        Raises:
            ConfigError: the path is too long for a socket, or can't be used.
        """
        _make_way(path)
        try:
            server = await asyncio.start_unix_server(self._connected, path)
        except OSError as error:
            what = f"can't listen ({error.strerror})"
            raise ConfigError(what, where=str(path), fix="check the state folder") from error
        try:
            yield
        finally:
            server.close()
            for client in tuple(self._clients):
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            _remove(path)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._client(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender: asyncio.Task[None] | None = None
        try:
            while (request := await wire.receive(reader)) is not None:
                if request.get("op") == "subscribe" and sender is None:
                    sender = asyncio.ensure_future(self._send_batches(writer, request.get("id", 0)))
                    continue
                writer.write(wire.pack({"id": request.get("id"), **await self._answer(request)}))
                await writer.drain()
        except (LinkError, ConnectionError) as error:
            LOG.info("a client was dropped: %s", error)
        finally:
            self._subscribers.pop(writer, None)
            if sender is not None:
                sender.cancel()
            writer.close()

    async def _send_batches(self, writer: asyncio.StreamWriter, number: int) -> None:
        queue: asyncio.Queue[bytes] = asyncio.Queue(BEHIND)
        self._subscribers[writer] = (number, queue)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(await queue.get())
                await writer.drain()

    async def _answer(self, request: wire.Frame) -> dict[str, Any]:
        """What one request gets back; a request that can't be understood gets an error, not silence."""
        try:
            match request.get("op"):
                case "ping":
                    return {"ok": True}
                case "snapshot":
                    return {"ok": True, "snapshot": wire.pack_snapshot(self._snapshot())}
                case "metrics":
                    return {"ok": True, "metrics": dict(self._metrics())}
                case "read":
                    found = await self._inspector.read(str(request["device"]))
                    return {"ok": True, "profile": found.profile, "reading": wire.pack_reading(found.reading)}
                case "record":
                    return {"ok": True, "dump": await self._inspector.record(str(request["device"]))}
                case "write" | "authority" | "handsoff" as op:
                    return {"ok": True, **await self._act(op, request)}
                case other:
                    return {"ok": False, "error": f"unknown op {other!r}"}
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            return {"ok": False, "error": f"not a valid request ({error!r})"}
        except IgoudarError as error:
            return {"ok": False, "error": error.what, "where": error.where, "fix": error.fix}

    async def _act(self, op: str, request: wire.Frame) -> dict[str, Any]:
        """What acts on the plant, or decides who may."""
        if op == "write":
            result = await self._hands.write(wire.unpack_setpoint(request["setpoint"]))
            return {"result": wire.pack_result(result)}
        if op == "authority":
            self._hands.obey(unpack_authority(request["authority"]))
        else:
            self._hands.take_off(bool(request["on"]), str(request["who"]), str(request["why"]))
        return {}


def _make_way(path: Path) -> None:
    """Remove what a killed collector left; the store's lock has kept out a living one."""
    if len(bytes(path)) > LONGEST_PATH:
        fix = "choose a shorter state folder (--state)"
        raise ConfigError(f"longer than a socket path can be ({LONGEST_PATH})", where=str(path), fix=fix)
    _remove(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
