"""Where the devices answer: the simulators' file replaces the site file's addresses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from igoudar.core.errors import ConfigError
from igoudar.core.model import Device, Profile

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

    scheme: str  # modbus-tcp | modbus-tls | modbus-rtu | opc.tcp | http | https
    host: str
    port: int
    path: str  # unit, tag or path, without the leading slash
    url: str
    query: str = ""  # of a serial port: its settings

    @property
    def server(self) -> str:
        """What all devices behind one server share."""
        if not self.port:
            return f"{self.scheme}://{self.host}"
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def unprotected(self) -> bool:
        """Whether what is said there crosses a network in the clear."""
        return self.scheme == "modbus-tcp" and not _loopback(self.host)


@dataclass(frozen=True, slots=True)
class Placed:
    """A device, its profile and its address."""

    device: Device
    profile: Profile
    address: Address


PORTS = {
    "modbus-tcp": 502,
    "modbus-tls": 802,
    "opc.tcp": 4840,
    "http": 80,
    "https": 443,
    "redfish-http": 80,
    "redfish-https": 443,
}


SERIAL = "modbus-rtu://"


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
        ConfigError: none of `modbus-tcp://host:port/unit`, `modbus-tls://host:port/unit`,
            `modbus-rtu:///dev/port?baud=rate/unit`, `opc.tcp://host:port/tag`, `http://host:port/path`.
    """
    if address.startswith(SERIAL):
        return _serial(address)
    fix = "write modbus-tcp://host:port/unit, opc.tcp://host:port/tag or http://host:port/path"
    try:
        parts = urlsplit(address)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError as error:
        raise ConfigError(f"{address!r} is no address ({error})", where=device, fix=fix) from error
    if port is None or not parts.hostname:
        raise ConfigError(f"{address!r} is no address", where=device, fix=fix)
    return Address(parts.scheme, parts.hostname, port, parts.path.lstrip("/"), address)


def _serial(address: str) -> Address:
    """`modbus-rtu:///dev/ttyUSB0?baud=19200/3`: the unit stands last, as in the other forms."""
    port, _, unit = address.removeprefix(SERIAL).rpartition("/")
    path, _, query = port.partition("?")
    return Address(SERIAL.removesuffix("://"), path, 0, unit, address, query)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
