"""A small HTTP/1.1 server for loopback: exact paths to the handler, keep-alive, nothing else."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from igoudar.core.errors import IgoudarError

MAX_BODY = 1 << 20
_IDLE_S = 120.0
_OWN_HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Request:
    """One parsed request."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            HttpError: 400 when it is none.
        """
        try:
            document = json.loads(self.body or b"{}")
        except ValueError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"the body is not JSON ({error})") from error
        if not isinstance(document, dict):
            raise HttpError(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
        return document


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `delay_s` (wall) before it is sent, `drop` to close the connection instead."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "application/json"
    delay_s: float = 0.0
    drop: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, document: object, status: HTTPStatus = HTTPStatus.OK) -> "Response":
        """An answer with a JSON document."""
        return cls(json.dumps(document).encode(), status)


class HttpError(IgoudarError):
    """A request that gets an error status."""

    def __init__(self, status: HTTPStatus, what: str) -> None:
        super().__init__(what)
        self.status = status


Handler = Callable[[Request], Awaitable[Response]]


class HttpServer:
    """Serves `handler` on a free loopback port while the context is open."""

    def __init__(self, handler: Handler) -> None:
        self.port = 0
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 16)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None  # noqa: S101  # set on entry
        self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="http connection")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # the client went away, fell silent or sent endless headers: only its connection ends
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection stays open."""
        try:
            async with asyncio.timeout(_IDLE_S):
                request, keep = await _receive(reader)
            response = await self._handler(request)
        except HttpError as refusal:
            response = Response.of_json({"error": str(refusal)}, refusal.status)
            keep = False  # its body may still be on the way
        except IgoudarError as error:
            response, keep = Response.of_json({"error": str(error)}, HTTPStatus.BAD_REQUEST), True
        if response.delay_s > 0:
            await asyncio.sleep(response.delay_s)
        if response.drop:
            return False
        writer.write(_head(response, keep) + response.body)
        await writer.drain()
        return keep


async def _receive(reader: asyncio.StreamReader) -> tuple[Request, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = head[0].split(" ")
    if len(words) != 3:
        raise HttpError(HTTPStatus.BAD_REQUEST, "not an HTTP request")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    _refuse_web_pages(headers)
    body = await reader.readexactly(_length(headers))
    url = urlsplit(words[1])
    keep = headers.get("connection", "").lower() != "close" and words[2] == "HTTP/1.1"
    return Request(words[0], url.path, dict(parse_qsl(url.query)), body, headers), keep


def _refuse_web_pages(headers: Mapping[str, str]) -> None:
    """Loopback keeps other hosts out, not the pages in a browser on this one."""
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    if "origin" in headers or host not in _OWN_HOSTS:
        raise HttpError(HTTPStatus.FORBIDDEN, "only programs on this host may ask")


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not text.isdecimal():
        raise HttpError(HTTPStatus.BAD_REQUEST, "content-length is no number")
    if int(text) > MAX_BODY:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY} bytes")
    return int(text)


def _head(response: Response, keep: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status.value} {response.status.phrase}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        f"Connection: {'keep-alive' if keep else 'close'}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
