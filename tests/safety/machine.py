"""A SunSpec device of a simulated site, as an outsider's client sees it, and control asked to drive it."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from igoudar.core.errors import CommandError
from tests.app.apart import Apart
from tests.app.live import wait_until

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
