"""The simulate process as a process: published files, a kill, a clean stop, a restart."""

import asyncio
import json
import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from igoudar.core.clock import CYCLE_S, SiteClock, control_cycle_s
from igoudar.core.errors import ConfigError
from igoudar.core.model import Site
from igoudar.simulators import service
from tests.simulators.conftest import START

SPEED = 600.0
PROGRAM = f"""
import asyncio, sys
from datetime import datetime
from pathlib import Path
from igoudar.collectors.profiles import load_profiles
from igoudar.core.service import until_signalled
from igoudar.core.site import load_site
from igoudar.simulators import service
profiles = load_profiles()
work = service.run(load_site("jazari-lab", profiles), profiles, Path(sys.argv[1]), speed={SPEED}, seed=7,
                   start=datetime.fromisoformat("{START.isoformat()}"), run_id=sys.argv[2],
                   resource_path=Path(sys.argv[1]) / "hours.csv",  # spares the imports of the sky's models
                   ready=lambda: print("ready", flush=True))
asyncio.run(until_signalled(work))
"""


class Process:
    """One simulate process."""

    def __init__(self, state: Path, run_id: str) -> None:
        self.state, self.run_id = state, run_id

    async def __aenter__(self) -> "Process":
        command = [sys.executable, "-c", PROGRAM, str(self.state), self.run_id]
        self.process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert self.process.stdout is not None
        async with asyncio.timeout(90):
            assert await self.process.stdout.readline() == b"ready\n"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.end(signal.SIGKILL)

    async def end(self, number: int) -> int:
        if self.process.returncode is None:
            os.kill(self.process.pid, number)
        async with asyncio.timeout(20):
            return await self.process.wait()

    async def ask(self, method: str, path: str) -> dict:
        address = json.loads((self.state / "endpoints.json").read_text())["scheduler"]
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            return (await client.request(method, address + path)).json()


def clock(state: Path) -> SiteClock:
    return SiteClock.load(state / "clock.json")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    rows = [f"{max(0.0, 0.8 - abs(hour % 24 - 13) / 8):.3f},0.5" for hour in range(48)]
    (tmp_path / "hours.csv").write_text("\n".join(["PV-FIX,WIND-ON", *rows]))
    return tmp_path


async def test_a_killed_run_goes_on_and_a_stopped_one_resumes_later(state: Path, site: Site) -> None:
    async with Process(state, "run-1") as first:
        document = json.loads((state / "endpoints.json").read_text())
        assert (document["schema"], document["run_id"], document["simulated"]) == (1, "run-1", True)
        assert set(document["devices"]) == {device.name for device in site.devices}
        began = clock(state)
        assert began.origin == START
        saved = await first.ask("POST", "/v1/checkpoint")
        before = await first.ask("GET", "/v1/summary")
        assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    async with Process(state, "run-1") as again:
        assert clock(state) == began
        after = await again.ask("GET", "/v1/summary")
        assert datetime.fromisoformat(after["time"]) >= datetime.fromisoformat(before["time"])
        assert abs(datetime.fromisoformat(after["time"]) - began.now()) < timedelta(seconds=5 * SPEED)
        assert after["plant"]["urgent_wh"] >= before["plant"]["urgent_wh"]
        assert after["start"] == START.isoformat()
        assert await again.end(signal.SIGTERM) == 0
    async with Process(state, "run-2") as later:
        assert clock(state).run_id == "run-2"
        assert clock(state).origin >= datetime.fromisoformat(after["time"])
        assert (await later.ask("GET", "/v1/summary"))["start"] == START.isoformat()
    assert saved["path"] == str(state / "plant.msgpack")
    assert not list(state.glob("endpoints*.part"))


async def test_a_speed_that_makes_no_sense_is_refused(tmp_path: Path, site: Site) -> None:
    with pytest.raises(ConfigError, match="speed"):
        await service.run(site, {}, tmp_path, speed=0)


def test_a_control_cycle_is_never_shorter_than_half_a_wall_second() -> None:
    assert control_cycle_s(1) == CYCLE_S
    assert control_cycle_s(1440) == 720
