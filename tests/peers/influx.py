"""Debian's real InfluxDB 1.6 on loopback, behind a proxy that gives it the write path of later versions."""

import http.client
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.peers import program

CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[monitor]
store-enabled = false
[subscriber]
enabled = false
[logging]
level = "warn"
"""
UNITS = {"ns": "n", "us": "u", "ms": "ms"}
PASSED_ON = ("Content-Type", "Content-Encoding", "X-Influxdb-Version", "Retry-After")
STARTS_WITHIN_S = 30.0

Answer = tuple[int, dict[str, str], bytes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def influxd(folder: Path) -> Iterator[int]:
    """A server of its own with its files in `folder`; its port."""
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, rpc_port=free_port()))
    command = [program("influxd", "influxdb"), "-config", str(config)]
    with (folder / "influxd.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _await_ping(server, port, folder / "influxd.log")
            yield port
        finally:
            server.terminate()
            server.wait(timeout=STARTS_WITHIN_S)


def _await_ping(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ping", trust_env=False).is_success:
                return
        except httpx.TransportError:
            threading.Event().wait(0.02)
    raise AssertionError(f"influxd did not start: {log.read_text()[-2000:]}")


class Proxy(ThreadingHTTPServer):
    """Maps `/api/v2/write?bucket=X&precision=P` to `/write?db=X&precision=P`, passes on the rest.

    `instead`, when set, may answer a request itself: that is how servers in trouble are played. `seen` has
    (method, path, authorization) of every request.
    """

    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.instead: Callable[[str, str, bytes], Answer | None] = lambda _method, _path, _body: None
        self.seen: list[tuple[str, str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
        status, headers, content = self.server.instead(self.command, self.path, body) or self._upstream(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _relay  # noqa: N815 - http.server's names

    def _upstream(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        kind = {"Content-Type": self.headers.get("Content-Type", "text/plain")}
        try:
            connection.request(self.command, mapped(self.path), body, kind)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name in PASSED_ON}
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


def mapped(path: str) -> str:
    """A request's path as 1.6 knows it."""
    address = urlsplit(path)
    if address.path != "/api/v2/write":
        return path
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    return "/write?" + urlencode({"db": asked["bucket"], "precision": UNITS[asked.get("precision", "ns")]})


@contextmanager
def proxy(upstream: int) -> Iterator[Proxy]:
    """The proxy before a server's port, in threads of this process."""
    with Proxy(upstream) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def influxql(url: str, query: str, database: str = "") -> list[dict[str, object]]:
    """Results of a query, asked of the server itself."""
    answer = httpx.post(f"{url}/query", data={"q": query, "db": database}, trust_env=False)
    results: list[dict[str, object]] = answer.json()["results"]
    return results
