"""One page, fetched again and again over a connection of its own: a Prometheus endpoint."""

import ssl
from functools import cache
from urllib.parse import quote, urlsplit

from igoudar.collectors.http_line import LARGEST_BODY, Answer, HttpLine
from igoudar.core.model import Reason

__all__ = ["LARGEST_BODY", "HttpLink"]

BUSY, OK = 503, 200


class HttpLink:
    """Keeps one connection to one URL while it works; one request at a time.

    Args:
        url: `http://host:port/path` or https.
        timeout_s: For a whole exchange, connecting included (wall) [s].
    """

    def __init__(self, url: str, timeout_s: float = 3.0) -> None:
        self.url = url
        parts = urlsplit(url)
        tls = _tls() if parts.scheme == "https" else None
        self._line = HttpLine(parts.hostname or "", parts.port or (443 if tls else 80), tls, timeout_s, url)
        self._request = _request(url)

    async def get(self) -> bytes:
        """The page's body.

        Raises:
            LinkFault: there is none, and why; after all but a refusal the connection is closed.
        """
        return self._accepted(await self._line.exchange(self._request))

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._line.close()

    def _accepted(self, answer: Answer) -> bytes:
        if answer.status == BUSY:
            raise self._line.fault(Reason.BUSY, "the exporter is busy (HTTP 503)")
        if answer.status != OK:
            raise self._line.fault(Reason.EXCEPTION, f"HTTP {answer.status}")
        return answer.body


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()  # reads all authorities of the system: once is enough


def _request(url: str) -> bytes:
    parts = urlsplit(url)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    target += f"?{quote(parts.query, safe='=&%')}" if parts.query else ""
    host = parts.netloc.rpartition("@")[2]
    lines = (f"GET {target} HTTP/1.1", f"Host: {host}", "Accept: text/plain", "User-Agent: igoudar", "", "")
    return "\r\n".join(lines).encode("ascii")
