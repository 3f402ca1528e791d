"""One HTTP/1.1 connection that does one thing well: GET a page, again and again, strictly.

Source: RFC 9112. A general client costs three to six times the CPU per page (docs/performance.md), and a pool
shared by thousands of endpoints grows with their square.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from igoudar.collectors.faults import LinkFault
from igoudar.core.model import Reason

STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?\r\n")
LARGEST_HEAD = 1 << 16
LARGEST_BODY = 16 << 20
BUSY, OK = 503, 200


class HttpLink:
    """Keeps one connection to one URL while it works; one request at a time.

    Args:
        url: `http://host:port/path` or https.
        timeout_s: For a whole exchange, connecting included (wall) [s].
    """

    def __init__(self, url: str, timeout_s: float = 3.0) -> None:
        self.url, self._timeout_s = url, timeout_s
        self._parts = urlsplit(url)
        self._request = _request(url)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self) -> bytes:
        """The page's body.

        Raises:
            LinkFault: there is none, and why; the connection is then closed.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._answered()
        except TimeoutError as error:
            self.close()
            raise self._fault(Reason.TIMEOUT, "no answer in time") from error
        except OSError as error:
            self.close()
            raise self._fault(Reason.NO_CONNECTION, f"the connection failed ({error})") from error
        except (EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.close()
            raise self._fault(Reason.MALFORMED, f"not HTTP ({error})") from error
        except BaseException:
            self.close()  # an answer that still comes must not meet the next request
            raise

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _answered(self) -> bytes:
        if self._writer is not None and self._reader is not None and not self._reader.at_eof():
            try:
                return await self._exchange(self._reader, self._writer)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if getattr(error, "partial", b""):
                    raise  # it died within an answer; otherwise it was idle for too long: open it again
                self.close()
        self.close()
        self._reader, self._writer = await self._open()
        return await self._exchange(self._reader, self._writer)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tls = ssl.create_default_context() if self._parts.scheme == "https" else None
        port = self._parts.port or (443 if tls else 80)
        return await asyncio.open_connection(self._parts.hostname, port, ssl=tls, limit=LARGEST_HEAD)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = STATUS.match(head)
        if status is None:
            raise ValueError(f"it begins with {head[:40]!r}")
        headers = _headers(head[status.end() :])
        body, ended = await _body(reader, headers)
        if ended or status[1] == b"0" or headers.get(b"connection") == b"close":
            self.close()
        return self._accepted(int(status[2]), body)

    def _accepted(self, status: int, body: bytes) -> bytes:
        if status == BUSY:
            raise self._fault(Reason.BUSY, "the exporter is busy (HTTP 503)")
        if status != OK:
            raise self._fault(Reason.EXCEPTION, f"HTTP {status}")
        return body

    def _fault(self, reason: Reason, what: str) -> LinkFault:
        return LinkFault(reason, what, where=self.url)


def _request(url: str) -> bytes:
    parts = urlsplit(url)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    target += f"?{quote(parts.query, safe='=&%')}" if parts.query else ""
    host = parts.netloc.rpartition("@")[2]
    lines = (f"GET {target} HTTP/1.1", f"Host: {host}", "Accept: text/plain", "User-Agent: igoudar", "", "")
    return "\r\n".join(lines).encode("ascii")


def _headers(lines: bytes) -> Mapping[bytes, bytes]:
    pairs = (line.partition(b":") for line in lines.split(b"\r\n") if line)
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[bytes, bytes]) -> tuple[bytes, bool]:
    """The body, and whether only the connection's end marked its end."""
    if headers.get(b"transfer-encoding") == b"chunked":
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
