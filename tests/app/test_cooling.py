"""The plan's setpoint on a whole site: a chiller's register rises inside its envelope, and comes back."""

import json
import os
import signal
import struct
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pymodbus.client import ModbusTcpClient

from tests.app.live import Live, up, wait_until

FOUND_C, MOST_C = 19.0, 21.0
REGISTER = 48  # of a Carrier 23XRV
SITE = f"""
[plan.cooling]
setpoint_c = {FOUND_C}
most_c = {MOST_C}
least_pue = 1.0

[guard]
thermal_class = "A1"

[alarms.rack_inlet_high]
high = 32
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A site that lacks wind and has racks that bear warm air."""
    file, seed = tmp_path / "small.toml", (files("igoudar.seeds") / "jazari-lab.toml").read_text()
    calm = seed.replace("derating = 0.76", "derating = 0.01")
    file.write_text(calm.replace("inlet_limit_c = 27", "inlet_limit_c = 32") + SITE)
    with up(tmp_path / "state", str(file)) as site:
        yield site


@pytest.fixture
def setpoint_c(live: Live) -> Callable[[], float]:
    """The chiller's own register, read by somebody else's client."""
    place = urlsplit(json.loads((live.state / "endpoints.json").read_text())["devices"]["chiller-1"])

    def read() -> float:
        with ModbusTcpClient(place.hostname or "", port=place.port or 502) as client:
            answer = client.read_holding_registers(REGISTER, count=2, device_id=int(place.path[1:]))
        return float(struct.unpack(">f", struct.pack(">HH", *answer.registers))[0])

    return read


def test_the_register_rises_inside_its_envelope_and_comes_back(
    live: Live, setpoint_c: Callable[[], float]
) -> None:
    assert setpoint_c() == FOUND_C
    shown = [FOUND_C]

    def becomes(least_c: float, most_c: float) -> None:
        def looks() -> bool:
            shown.append(setpoint_c())
            return least_c <= shown[-1] <= most_c

        wait_until(f"a setpoint of {least_c:g} to {most_c:g}", looks)

    becomes(FOUND_C + 1.0, MOST_C)
    with live.api() as api:
        said = [text.code for text in api.plan().notes]
        row = next(row for row in api.actions(limit=200) if row.target == "chiller-1")
    assert "planner.cooling_warmer" in said
    assert (row.verb, row.reason.code, row.result) == ("setpoint_c", "plant.cooling", "done")
    assert "Cooling: the plan wants" in live.command("plan").stdout
    os.kill(int(live.parts()["control"]["pid"]), signal.SIGKILL)
    becomes(FOUND_C, FOUND_C)
    becomes(FOUND_C + 0.5, MOST_C)  # the next control begins anew
    with live.api() as api:
        api.set_mode("observe", "the test of the whole")
    becomes(FOUND_C, FOUND_C)
    assert min(shown) == FOUND_C
    assert max(shown) <= MOST_C
