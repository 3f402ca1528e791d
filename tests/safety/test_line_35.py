"""35. Runs wholly on premises; a bill of materials is built; incidents export for a 24-hour report."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.app.bill import materials
from igoudar.control.records.export import incident
from igoudar.control.records.state import Records
from tests.app.live import IGOUDAR
from tests.control.records.lines import T0, action
from tests.peers.outside import reached, watching

RUN_S = "8"
SPOKEN = "import socket; socket.getaddrinfo('name.invalid', 80)"
SENT = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
LOOPED = (
    "import asyncio, uvloop\n"
    "async def call():\n"
    "    await asyncio.wait_for(asyncio.open_connection('192.0.2.2', 9), 0.2)\n"
    "try:\n"
    "    asyncio.Runner(loop_factory=uvloop.new_event_loop).run(call())\n"
    "except (OSError, TimeoutError):\n"
    "    pass\n"
)


@pytest.mark.xdist_group("live")
def test_line_35_a_whole_site_calls_nobody_outside(tmp_path: Path) -> None:
    watch, log = watching(tmp_path)
    words = ["up", "--state", str(tmp_path / "state"), "--api-port", "0", "--dashboard-port", "0"]
    done = subprocess.run(
        [IGOUDAR, *words, "--speed", "600", "--for", RUN_S],
        env={**os.environ, **watch},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert reached(log) == set()


def test_line_35_the_watch_sees_what_it_should(tmp_path: Path) -> None:
    watch, log = watching(tmp_path)
    for script in (SPOKEN, SENT, LOOPED):
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            env={**os.environ, **watch},
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert reached(log) == {"lookup name.invalid", "connect 192.0.2.1", "connect 192.0.2.2"}


def test_line_35_the_bill_of_materials_names_every_component_with_its_version() -> None:
    document = materials()
    assert document["bomFormat"] == "CycloneDX"
    assert len(document["components"]) > 40
    assert all(one["version"] and one["purl"] for one in document["components"])
    assert json.loads(json.dumps(document)) == document


def test_line_35_an_incident_of_24_hours_is_one_document(tmp_path: Path) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    records.add([action(f"job-{n}", T0 + timedelta(hours=n)) for n in range(-5, 30)])
    found = incident(records, T0, T0 + timedelta(hours=24), "lab")
    assert [line["target"] for line in found["actions"]] == [f"job-{n}" for n in range(24)]
    assert all(line["hash"] and line["reason"] for line in found["actions"])
    assert found["audit"]["whole"]
    assert datetime.fromisoformat(found["made_at"]).tzinfo == UTC
    json.dumps(found)
    records.close()
