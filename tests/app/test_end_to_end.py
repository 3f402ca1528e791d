"""A real Slurm, simulated devices, and everything of ours between them: a job moves, a register moves."""

import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pymodbus.client import ModbusTcpClient

from igoudar.collectors.profiles import load_profiles
from igoudar.control.schema import ActionView
from igoudar.core.clock import SiteClock
from tests.app.live import Live, up, wait_until
from tests.app.slurm_site import site_on
from tests.peers.slurm import Cluster

pytestmark = pytest.mark.xdist_group("slurm")
FLEX = ("--partition=flex", "--time=60", "--nodelist=gpu03")
IDLE_W, PEAK_W = 29_040.0, 132_000.0  # of rack a1-03, which node gpu03 stands for; each PDU carries half
WITHIN_S = 5.0  # wall, generous for a busy machine: about 1 s is usual


@pytest.fixture
def live(slurm: Cluster, tmp_path: Path) -> Iterator[Live]:
    with up(tmp_path / "state", site_on(slurm, tmp_path), "--speed", "60") as site:
        yield site


class Register:
    """The active power of one PDU, read from its register by somebody else's Modbus client."""

    def __init__(self, live: Live, device: str) -> None:
        documents = json.loads((live.state / "endpoints.json").read_text())
        place = urlsplit(documents["devices"][device])
        self._host, self._port, self._unit = place.hostname or "", place.port or 502, int(place.path[1:])
        self._point = load_profiles()["xerus-pdu"].points["active_power_w"].address

    def watts(self) -> float:
        with ModbusTcpClient(self._host, port=self._port) as client:
            answer = client.read_holding_registers(self._point.register, count=2, device_id=self._unit)
        return float(struct.unpack(">f", struct.pack(">HH", *answer.registers))[0])

    def becomes(self, rack_w: float, within_s: float = WITHIN_S) -> None:
        wait_until(
            f"{rack_w / 2:.0f} W", lambda: self.watts() == pytest.approx(rack_w / 2, rel=0.02), within_s
        )


def act(live: Live, job: str, verb: str, wall_s: float | None = None) -> ActionView:
    """What an operator does by the API; a time is told in wall seconds from now."""
    clock = SiteClock.load(live.state / "clock.json")
    until = None if wall_s is None else clock.now() + timedelta(seconds=wall_s * clock.speed)
    with live.api() as api:
        return api.job_action(job, verb, "the test of the whole", until)


def test_a_real_job_moves_a_real_register(live: Live, slurm: Cluster) -> None:
    register = Register(live, "pdu-a1-03-a")
    register.becomes(IDLE_W)
    with live.api() as api:
        assert api.mode().mode == "observe"  # a real scheduler is nothing that this run has opened
        api.set_mode("auto", "the test of the whole")
    waits(live, slurm, register)
    pauses(live, slurm, register)
    with live.api() as api:
        shown = pytest.approx((IDLE_W + PEAK_W) / 4, rel=0.02)  # what the register shows
        wait_until("the reading", lambda: api.device("pdu-a1-03-a").values["active_power_w"] == shown)
        told = api.actions(limit=200)
    done = [(row.verb, row.result) for row in told]
    for verb in ("delay", "release", "suspend", "resume"):
        assert (verb, "done") in done
    assert live.command("audit", "verify").returncode == 0


def waits(live: Live, slurm: Cluster, register: Register) -> None:
    """A job that would start in a moment is delayed: the register stays low; released, it rises."""
    job = slurm.submit(*FLEX, "--begin=now+8", gpus=8)
    wait_until("control knows it", lambda: known(live, job))
    act(live, job, "delay", wall_s=600)
    begin_s = slurm.jobs()[job]["eligible_time"]
    assert begin_s > datetime.now(UTC).timestamp() + 500
    assert slurm.jobs()[job]["priority"] > 0  # a begin time, never a bare hold
    register.becomes(IDLE_W)
    act(live, job, "release")
    slurm.wait_state(job, "RUNNING", within_s=30)
    register.becomes(PEAK_W)
    slurm.run("scancel", job)
    register.becomes(IDLE_W, within_s=20)


def pauses(live: Live, slurm: Cluster, register: Register) -> None:
    """A running job is paused: the register falls; resumed, it rises."""
    job = slurm.submit(*FLEX, gpus=4)
    slurm.wait_state(job, "RUNNING")
    half_w = (IDLE_W + PEAK_W) / 2
    register.becomes(half_w)
    wait_until("control knows it", lambda: known(live, job))
    act(live, job, "suspend", wall_s=600)
    assert slurm.state(job) == "SUSPENDED"
    register.becomes(IDLE_W)
    assert job in json.loads((live.state / "suspended.json").read_text())["jobs"]
    act(live, job, "resume")
    slurm.wait_state(job, "RUNNING")
    register.becomes(half_w)
    assert json.loads((live.state / "suspended.json").read_text())["jobs"] == {}


def known(live: Live, job: str) -> bool:
    with live.api() as api:
        return any(one.job_id == job for one in api.jobs().jobs)
