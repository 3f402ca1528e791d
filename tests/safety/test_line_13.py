"""13. After SIGKILL the plant is at its safe value within a measured time.

The reversion is measured first, by an outsider's SunSpec client on a plant that none of ours speaks to; then
control (and the collector as well) is killed while it holds the same setpoint.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from igoudar.core.errors import CommandError
from tests.app.apart import Apart, apart
from tests.app.live import wait_until

pytestmark = pytest.mark.xdist_group("live")
SLACK = 1.2  # the bar: the measured time and a fifth
ASKED_PCT = 40.0
TIMER_S = 360  # site time: what the collector arms at speed 60


@dataclass(frozen=True)
class Drive:
    """The points of one SunSpec model that hold a setpoint, its timer and its switch."""

    device: str
    point: str
    model: int
    setpoint: str
    timer: str
    switch: str
    bit: int


PV = Drive("inverter-1", "limit_pct", 123, "WMaxLimPct", "WMaxLimPct_RvrtTms", "WMaxLim_Ena", 1)
BATTERY = Drive("battery-1", "discharge_rate_pct", 124, "OutWRte", "InOutWRte_RvrtTms", "StorCtl_Mod", 2)


class Machine:
    """A device as an outsider's client sees it."""

    def __init__(self, parts: Apart, device: str, drive: Drive) -> None:
        place = urlsplit(parts.endpoints()[device])
        self._client = SunSpecModbusClientDeviceTCP(
            int(place.path[1:]), place.hostname, place.port, timeout=5
        )
        self._client.scan()
        self._model, self._drive = self._client.models[drive.model][0], drive

    def shown(self) -> tuple[float, int, int]:
        """Setpoint, armed timer [s] and switch."""
        self._model.read()
        drive, model = self._drive, self._model
        values = [getattr(model, name) for name in (drive.setpoint, drive.timer, drive.switch)]
        return float(values[0].cvalue), int(values[1].value), int(values[2].value)

    def driven(self) -> bool:
        return self.shown()[2] != 0

    def drive(self, percent: float, timer_s: int, switch: int) -> None:
        drive, model = self._drive, self._model
        for name, value in ((drive.timer, timer_s), (drive.setpoint, percent), (drive.switch, switch)):
            point = getattr(model, name)
            point.cvalue = value
            point.write()

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Apart]:
    with apart(tmp_path / "state") as running:
        running.start("simulate")
        wait_until("devices", (running.state / "clock.json").exists)
        yield running


def asked(parts: Apart, drive: Drive) -> Machine:
    """The machine with a setpoint that control keeps renewing; a plant just read has to settle first."""
    machine = Machine(parts, drive.device, drive)
    until = (parts.clock.now() + timedelta(hours=6)).isoformat()
    body = {"target": drive.device, "point": drive.point, "value": ASKED_PCT, "until": until, "reason": "x"}

    def accepted() -> bool:
        with parts.api() as api, suppress(CommandError):
            return bool(json.loads(api.call("POST", "/v1/overrides", json=body))["result"] == "done")
        return False

    wait_until("the write", accepted)
    assert machine.shown()[0] == pytest.approx(ASKED_PCT, abs=0.5)
    return machine


def safe_after_s(parts: Apart, machine: Machine, since: datetime) -> float:
    """Site seconds until the machine is back at its own rule."""
    wait_until("the safe value", lambda: not machine.driven())
    return (parts.clock.now() - since).total_seconds()


def reversion_s(parts: Apart, drive: Drive) -> float:
    """What the product needs when it is armed as control will arm it."""
    machine = Machine(parts, drive.device, drive)
    since = parts.clock.now()
    machine.drive(ASKED_PCT, TIMER_S, drive.bit)
    assert machine.driven()
    taken_s = safe_after_s(parts, machine, since)
    machine.close()
    return taken_s


@pytest.mark.parametrize(
    ("drive", "killed"),
    [(PV, ("control",)), (PV, ("collect", "control")), (BATTERY, ("control",))],
    ids=lambda value: value.device if isinstance(value, Drive) else " and ".join(value),
)
def test_line_13_what_a_killed_control_has_set_ends_in_time(
    parts: Apart, drive: Drive, killed: tuple[str, ...]
) -> None:
    bar_s = SLACK * reversion_s(parts, drive)
    parts.start("collect", "control")
    parts.controlled()
    machine = asked(parts, drive)
    assert machine.shown()[1] == TIMER_S
    renewed = parts.clock.now() + timedelta(seconds=1.2 * TIMER_S)
    wait_until("control to outlast the timer", lambda: parts.clock.now() > renewed and machine.driven())
    since = parts.clock.now()
    for name in killed:
        parts.end(name)
    assert safe_after_s(parts, machine, since) <= bar_s
