"""A real mosquitto on loopback: TLS with client certificates, topic rules; files in a folder of the test."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import program
from tests.peers.authority import Authority
from tests.peers.influx import free_port

CONFIG = """
per_listener_settings false
listener {port} 127.0.0.1
allow_anonymous false
persistence false
log_dest file {folder}/mosquitto.log
cafile {ca}
certfile {certificate}
keyfile {key}
require_certificate true
use_identity_as_username true
acl_file {folder}/acl
"""
RULES = """
user grid
topic write grid/v1/isv/+/loadtarget/set
topic read grid/v1/isv/#

user site
topic read grid/v1/isv/{identifier}/loadtarget/set
topic write grid/v1/isv/{identifier}/powerstate/status
topic write grid/v1/isv/{identifier}/breach/+
"""
STARTS_WITHIN_S = 20.0


@dataclass(slots=True)
class Mosquitto:
    """A broker that can be stopped and started again on its port."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        command = [program("mosquitto", "mosquitto"), "-c", str(self.folder / "mosquitto.conf")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, (self.folder / "mosquitto.log").read_text()
        raise AssertionError("mosquitto does not listen")

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(timeout=STARTS_WITHIN_S)


@contextmanager
def mosquitto(folder: Path, authority: Authority, identifier: str) -> Iterator[Mosquitto]:
    """A broker whose clients are `grid` and `site`, by their certificates."""
    port = free_port()
    certificate, key = authority.issue("broker")
    files = {"ca": authority.ca, "certificate": certificate, "key": key}
    (folder / "mosquitto.conf").write_text(CONFIG.format(port=port, folder=folder, **files))
    rules = folder / "acl"
    rules.write_text(RULES.format(identifier=identifier))
    rules.chmod(0o644)  # mosquitto gives up root before it reads them
    for path in (folder, *folder.parents):
        if path.owner() == "root" and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o011)
    for path in (certificate, key, authority.ca):
        path.chmod(0o644)
    broker = Mosquitto(folder, port)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
