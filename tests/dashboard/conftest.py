"""The dashboard as it is started for real, a real API peer on loopback, and a real browser."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from igoudar.dashboard.launch import command
from tests.dashboard import documents
from tests.dashboard.api_server import VIEWER, ApiServer
from tests.peers import program

ROOT = Path(__file__).resolve().parents[2]
STARTED_S = 60.0


@pytest.fixture
def api() -> Iterator[ApiServer]:
    server = ApiServer(documents.document)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def viewer_token(tmp_path: Path) -> Path:
    path = tmp_path / "viewer.token"
    path.write_text(VIEWER + "\n")
    return path


@pytest.fixture(scope="module")
def campus() -> Iterator[ApiServer]:
    server = ApiServer(documents.document)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def dashboard_url(campus: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program("chromium")  # the server is of use to nobody without a browser
    home = tmp_path_factory.mktemp("dashboard")
    token = home / "viewer.token"
    token.write_text(VIEWER)
    port = _free_port()
    line, environment = command(port, campus.url, token)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            line,
            env={**os.environ, **environment, "HOME": str(home)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_up(port, process, home / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTED_S
    with httpx.Client() as client:
        while time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            try:
                if client.get(f"http://127.0.0.1:{port}/_stcore/health").status_code == 200:
                    return
            except httpx.TransportError:
                process_gone = process.poll()  # not listening yet
                assert process_gone is None, log.read_text()
    raise AssertionError(log.read_text())
