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
SHARP_S = 0.1 * TIMER_S  # between two looks: half of the slack
TRIES = 5


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


@dataclass(frozen=True)
class Taken:
    """Site seconds until a machine was back at its own rule, as two looks prove: a busy host looks late."""

    least_s: float
    most_s: float

    @property
    def sharp(self) -> bool:
        return self.most_s - self.least_s <= SHARP_S


def went_back(parts: Apart, machine: Machine, since: datetime, until: datetime | None = None) -> Taken:
    """From something that happened between `since` and `until`; the machine must be seen driven after it."""
    driven_at: list[datetime] = []

    def back() -> bool:
        looked_at = parts.clock.now()
        if machine.driven():
            driven_at[:] = [looked_at]
            return False
        return True

    wait_until("the safe value", back)
    most_s = (parts.clock.now() - since).total_seconds()
    least_s = (driven_at[0] - (until or since)).total_seconds() if driven_at else 0.0
    return Taken(least_s, most_s)


def safe_after_s(parts: Apart, machine: Machine, since: datetime) -> float:
    """Site seconds until the machine is back at its own rule, at most."""
    return went_back(parts, machine, since).most_s


def reversion_s(parts: Apart, drive: Drive) -> float:
    """What the product needs when it is armed as control will arm it."""
    machine = Machine(parts, drive.device, drive)
    for _ in range(TRIES):
        since = parts.clock.now()
        machine.drive(ASKED_PCT, TIMER_S, drive.bit)
        taken = went_back(parts, machine, since)
        if taken.least_s > 0.0 and taken.sharp:  # else the bar would be somebody's wait for a processor
            machine.close()
            return taken.most_s
    raise AssertionError(f"not measured sharply in {TRIES} tries")
