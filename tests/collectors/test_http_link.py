"""The page fetcher against servers that behave and servers that do not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.http_link import LARGEST_BODY, HttpLink
from igoudar.core.model import Reason


@dataclass
class Page:
    """A server that answers each request with the next of `answers`; None closes the connection."""

    answers: Sequence[bytes | None]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(request)
                answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
                if answer is None:
                    break
                writer.write(answer)
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def link_to(*answers: bytes | None) -> AsyncIterator[tuple[HttpLink, Page]]:
    page = Page(answers)
    server = await asyncio.start_server(page.serve, "127.0.0.1", 0)
    link = HttpLink(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a b/metrics?x=1", 0.5)
    try:
        yield link, page
    finally:
        link.close()
        server.close()


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nup 1"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nup\r\n2\r\n 1\r\n0\r\nA: b\r\n\r\n"


async def test_pages_come_over_one_connection_whole_or_in_chunks() -> None:
    async with link_to(WHOLE, CHUNKED, WHOLE) as (link, page):
        assert [await link.get() for _ in range(3)] == [b"up 1"] * 3
    assert page.connections == 1
    assert page.requests[0].startswith(b"GET /a%20b/metrics?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_a_connection_that_idled_out_is_opened_again_unseen() -> None:
    async with link_to(WHOLE, None, WHOLE) as (link, page):
        assert [await link.get() for _ in range(2)] == [b"up 1"] * 2
    assert page.connections == 2


async def test_what_is_given_up_is_not_delivered_later() -> None:
    reset = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await reader.read()
        except ConnectionResetError:  # not an orderly end: nothing waits for delivery
            reset.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    link = HttpLink(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", 0.05)
    with pytest.raises(LinkFault, match="no answer in time"):
        await link.get()
    async with asyncio.timeout(5):
        await reset.wait()
    server.close()


async def test_what_acts_is_never_sent_twice() -> None:
    async with link_to(WHOLE, None, WHOLE) as (link, page):
        await link.get()
        with pytest.raises(LinkFault, match="closed before an answer"):
            await link._line.exchange(b"PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", lambda: None)
    assert len(page.requests) == 2


@pytest.mark.parametrize(
    "last",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nup 1",
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nup 1",
    ],
)
async def test_a_connection_that_the_server_ends_is_not_used_again(last: bytes) -> None:
    async with link_to(last, last) as (link, page):
        assert [await link.get() for _ in range(2)] == [b"up 1"] * 2
    assert page.connections == 2


async def test_a_body_may_end_with_its_connection() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nup 1")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    link = HttpLink(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert await link.get() == b"up 1"
    server.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Reason.BUSY),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", Reason.EXCEPTION),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST_BODY + 1), Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nup 1\r\n", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", Reason.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nup 1", Reason.TIMEOUT),
        (None, Reason.MALFORMED),
    ],
)
async def test_an_answer_that_is_no_page_is_a_fault_and_closes_the_connection(
    answer: bytes | None, reason: Reason
) -> None:
    async with link_to(answer, WHOLE) as (link, _):
        with pytest.raises(LinkFault) as caught:
            await link.get()
        assert caught.value.reason is reason
        assert await link.get() == b"up 1"
