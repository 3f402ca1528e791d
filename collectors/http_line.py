"""One HTTP/1.1 connection to one server: a request, its whole answer, and the next; strictly.

Source: RFC 9112. A general client costs three to six times the CPU per page (docs/performance.md), and a pool
shared by thousands of endpoints grows with their square.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.readers import Permit
from igoudar.collectors.sockets import discard, give_up_after
from igoudar.collectors.turns import Turns
from igoudar.core.model import Reason

STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?\r\n")
LARGEST_HEAD = 1 << 16
LARGEST_BODY = 16 << 20
BODILESS = (204, 304)

Headers = Mapping[bytes, bytes]


class Answer(NamedTuple):
    """One answer; header names in lower case, values as they came."""

    status: int
    headers: Headers
    body: bytes


class HttpLine:
    """Keeps one connection while it works; one request at a time.

    Args:
        host: Name or address.
        port: Of the server.
        tls: Context of a connection over TLS, None for one in the clear.
        timeout_s: For a whole exchange, connecting included (wall) [s].
        where: What errors name.
    """

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext | None, timeout_s: float, where: str
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._timeout_s, self._where = timeout_s, where
        self._turns = Turns(1)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def exchange(self, request: bytes, permit: Permit | None = None, *, urgent: bool = False) -> Answer:
        """Send a request, return its answer, whatever its status; what acts, or is `urgent`, before polls.

        A connection that idled out is opened again, so a request must do the same when it arrives twice,
        except one with a `permit`: it acts, so it leaves once, and `permit` is asked just before.

        Raises:
            LinkFault: there is none, and why; the connection is then closed.
        """
        await self._turns.take(urgent=urgent or permit is not None)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._answered(request, permit)
        except TimeoutError as error:
            self._discard()
            raise self.fault(Reason.TIMEOUT, "no answer in time") from error
        except OSError as error:
            self.close()
            raise self.fault(Reason.NO_CONNECTION, f"the connection failed ({error})") from error
        except (EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.close()
            raise self.fault(Reason.MALFORMED, f"not HTTP ({error})") from error
        except BaseException:
            self._discard()  # an answer that still comes must not meet the next request
            raise
        finally:
            self._turns.give()

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    def _discard(self) -> None:
        """Close the connection; what is still on its way to the server does not get there."""
        if self._writer is not None:
            discard(self._writer.transport)
        self._reader = self._writer = None

    def fault(self, reason: Reason, what: str) -> LinkFault:
        """A fault of this line."""
        return LinkFault(reason, what, where=self._where)

    async def _answered(self, request: bytes, permit: Permit | None) -> Answer:
        if self._writer is not None and self._reader is not None and not self._reader.at_eof():
            try:
                return await self._exchange(request, permit, self._reader, self._writer)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if getattr(error, "partial", b""):
                    raise  # it died within an answer; otherwise it was idle for too long: open it again
                if permit is not None:  # what acts may have acted
                    raise self.fault(
                        Reason.NO_CONNECTION, "the connection closed before an answer"
                    ) from error
                self.close()
        self.close()
        self._reader, self._writer = await asyncio.open_connection(
            self._host, self._port, ssl=self._tls, limit=LARGEST_HEAD
        )
        give_up_after(self._writer.transport, self._timeout_s)
        return await self._exchange(request, permit, self._reader, self._writer)

    async def _exchange(
        self,
        request: bytes,
        permit: Permit | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> Answer:
        if permit is not None:
            permit()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = STATUS.match(head)
        if status is None:
            raise ValueError(f"it begins with {head[:40]!r}")
        headers, code = _headers(head[status.end() :]), int(status[2])
        body, ended = (b"", False) if code in BODILESS else await _body(reader, headers)
        if ended or status[1] == b"0" or headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return Answer(code, headers, body)


def _headers(lines: bytes) -> Headers:
    pairs = (line.partition(b":") for line in lines.split(b"\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Headers) -> tuple[bytes, bool]:
    """The body, and whether only the connection's end marked its end."""
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return await _chunks(reader), False
    length = headers.get(b"content-length")
    if length is None:
        return await _to_the_end(reader), True
    if not length.isdigit() or int(length) > LARGEST_BODY:
        raise ValueError(f"a body of {length!r} bytes")
    return await reader.readexactly(int(length)), False


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        if size < 0 or len(body) + size > LARGEST_BODY:
            raise ValueError(f"more than {LARGEST_BODY} bytes")
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise ValueError("a chunk that does not end where it says")
    while await reader.readuntil(b"\r\n") != b"\r\n":  # trailers
        pass
    return bytes(body)


async def _to_the_end(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while piece := await reader.read(LARGEST_HEAD):
        body += piece
        if len(body) > LARGEST_BODY:
            raise ValueError(f"more than {LARGEST_BODY} bytes")
    return bytes(body)
