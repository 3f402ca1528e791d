"""The transformer meters as somebody else's Modbus client reads them."""

import json
import struct
import time
from urllib.parse import urlsplit

from pymodbus.client import ModbusTcpClient
from tests.app.live import Live, wait_until

from igoudar.collectors.profiles import load_profiles

METERS = tuple(f"meter-transformer-{number}" for number in range(1, 5))


class Registers:
    """The transformer meters, read by somebody else's Modbus client."""

    def __init__(self, live: Live) -> None:
        documents = json.loads((live.state / "endpoints.json").read_text())["devices"]
        self._places = [urlsplit(documents[name]) for name in METERS]
        address = load_profiles()["schneider-iem3000"].points["active_power_w"].address
        self._register: int = address.register  # type: ignore[union-attr]

    def watts(self) -> float:
        """Facility load now."""
        return sum(
            self._one(place.hostname or "", place.port or 502, int(place.path[1:])) for place in self._places
        )

    def _one(self, host: str, port: int, unit: int) -> float:
        with ModbusTcpClient(host, port=port) as client:
            answer = client.read_holding_registers(self._register, count=2, device_id=unit)
        return float(struct.unpack(">f", struct.pack(">HH", *answer.registers))[0]) * 1e3

    def below(self, limit_w: float, began: float) -> float:
        """Wall seconds until the meters are at the limit."""
        wait_until("the limit", lambda: self.watts() <= limit_w, 120.0)
        return time.monotonic() - began
