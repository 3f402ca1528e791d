"""HTTP/1.1 over one connection, by h11: whole requests in, JSON documents out."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11

LARGEST_BODY = 16 << 10
LARGEST_HEAD = 16 << 10
PIECE = 1 << 14


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    method: str
    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: HTTPStatus
    document: Mapping[str, Any]


class RefusedError(Exception):
    """A request that gets this answer, and whose connection ends with it."""

    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


Handler = Callable[[Request], Awaitable[Response]]


async def converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    handler: Handler,
    *,
    idle_s: float,
    refused: Callable[[HTTPStatus, str], Response],
) -> None:
    """Answer requests until the peer goes, is silent for `idle_s`, or says what is no HTTP."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
    while True:
        try:
            async with asyncio.timeout(idle_s):
                request = await _request(connection, reader)
            if request is None:
                return
            response = await handler(request)
        except h11.RemoteProtocolError as error:
            response = refused(HTTPStatus(error.error_status_hint), "not_http")
        except RefusedError as error:
            response = refused(error.status, error.code)
        if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        writer.write(_sent(connection, response))
        await writer.drain()
        if not _next(connection):
            return


def _next(connection: h11.Connection) -> bool:
    """Go on to the next request, unless one side ends here."""
    if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
        return False
    connection.start_next_cycle()
    return True


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """The next whole request, None when the peer is gone."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(PIECE))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST_BODY:
                raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return Request(head.method.decode("ascii"), head.target.decode("latin-1"), bytes(body))
        else:
            return None


def _sent(connection: h11.Connection, response: Response) -> bytes:
    body = json.dumps(response.document).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if connection.their_state is not h11.DONE:
        headers.append(("Connection", "close"))  # the rest of its body is not waited for
    pieces = (
        connection.send(h11.Response(status_code=response.status, headers=headers)),
        connection.send(h11.Data(data=body)),
        connection.send(h11.EndOfMessage()),
    )
    return b"".join(piece or b"" for piece in pieces)
