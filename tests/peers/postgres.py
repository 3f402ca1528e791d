"""Debian's real PostgreSQL on loopback, its files in a folder that goes with it; never run as root."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.peers import program
from tests.peers.influx import free_port

STARTS_WITHIN_S = 60.0
USER = "igoudar"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it is, and how to stop the world around it."""

    port: int
    password: str
    process: "subprocess.Popen[bytes]"

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self, folder: Path) -> Path:
        """A new database; the file with its address, as a site file names it."""
        name = f"db{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        file = folder / f"{name}.url"
        file.touch(mode=0o600)
        file.write_text(self.url(name) + "\n")
        return file


@contextmanager
def postgres() -> Iterator[Server]:
    """A server of its own; as root it runs as Debian's user postgres."""
    initdb, server = _binary("initdb"), _binary("postgres")
    folder = Path(tempfile.mkdtemp(prefix="igoudar-pg-", dir="/tmp"))
    try:
        _own(folder)
        password, port = secrets.token_hex(8), free_port()
        (folder / "password").write_text(password)
        _own(folder / "password")
        data = folder / "data"
        made = [initdb, "-D", str(data), "-U", USER, f"--pwfile={folder / 'password'}", "-N"]
        _run([*made, "--auth=scram-sha-256", "--locale=C", "-E", "UTF8"])
        options = ["-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            command = [*_as_postgres(), server, "-D", str(data), *options, "-c", "max_connections=40"]
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        running = Server(port, password, process)
        try:
            _await(running, folder / "log")
            yield running
        finally:
            process.terminate()
            process.wait(timeout=STARTS_WITHIN_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binary(name: str) -> str:
    """Debian keeps the server's programs off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else program(name, "postgresql")


def _as_postgres() -> Sequence[str]:
    if os.geteuid() != 0:
        return ()
    # setpriv replaces itself by the program, so that a signal to our child reaches the server.
    ids = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    return (program("setpriv", "util-linux"), *ids, "--")


def _own(path: Path) -> None:
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.fail("PostgreSQL does not run as root, and there is no user postgres")
    os.chown(path, user.pw_uid, user.pw_gid)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run([*_as_postgres(), *command], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr


def _await(server: Server, log: Path) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end and server.process.poll() is None:
        try:
            psycopg.connect(server.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            threading.Event().wait(0.02)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
