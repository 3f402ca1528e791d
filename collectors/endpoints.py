"""Where the devices answer: the simulators' file replaces the site file's addresses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from igoudar.core.errors import ConfigError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The contents of `STATE/endpoints.json`."""

    run_id: str
    devices: Mapping[str, str]
    simulated: bool = False
    scheduler: str = ""

    def all_opened_by(self, run_id: str) -> bool:
        """True when simulators of this very run opened every endpoint, on loopback."""
        addresses = [*self.devices.values(), self.scheduler]
        local = all(urlsplit(address).hostname in LOOPBACK for address in addresses)
        return bool(run_id) and self.simulated and self.run_id == run_id and local


@dataclass(frozen=True, slots=True)
class Address:
    """A device's address, taken apart."""

    scheme: str  # modbus-tcp | opc.tcp | http | https
    host: str
    port: int
    path: str  # unit, tag or path, without the leading slash
    url: str

    @property
    def server(self) -> str:
        """What all devices behind one server share."""
        return f"{self.scheme}://{self.host}:{self.port}"


PORTS = {"modbus-tcp": 502, "opc.tcp": 4840, "http": 80, "https": 443}


def read_endpoints(path: Path) -> Endpoints:
    """Read an endpoints file.

    Raises:
        ConfigError: missing or not such a file.
    """
    try:
        document = json.loads(path.read_text())
        devices = {str(name): str(address) for name, address in document["devices"].items()}
        simulated = document.get("simulated") is True
        return Endpoints(
            str(document.get("run_id", "")), devices, simulated, str(document.get("scheduler", ""))
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        fix = "start `igoudar simulate` first; it writes this file"
        raise ConfigError(f"no usable endpoints ({error})", where=str(path), fix=fix) from error


def parse_address(device: str, address: str) -> Address:
    """Take an address apart.

    Raises:
        ConfigError: not `modbus-tcp://host:port/unit`, `opc.tcp://host:port/tag` or `http://host:port/path`.
    """
    fix = "write modbus-tcp://host:port/unit, opc.tcp://host:port/tag or http://host:port/path"
    try:
        parts = urlsplit(address)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError as error:
        raise ConfigError(f"{address!r} is no address ({error})", where=device, fix=fix) from error
    if port is None or not parts.hostname:
        raise ConfigError(f"{address!r} is no address", where=device, fix=fix)
    return Address(parts.scheme, parts.hostname, port, parts.path.lstrip("/"), address)
