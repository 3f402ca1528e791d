"""5. An independent second check sits just before the wire and knows nothing of the planner."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from igoudar.collectors.results import OutOfBounds, Rejected
from igoudar.core.model import Gap, Reading, Reason

from .plant import plant

LOADED = """
import sys, igoudar.collectors.service
print([name for name in sys.modules if name.startswith(("igoudar.control", "igoudar.lab", "igoudar.app"))])
"""


def test_line_05_the_collector_runs_without_a_line_of_the_planner() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_line_05_what_control_let_pass_is_checked_again(tmp_path: Path) -> None:
    """Control says that all is well: class, approval, epoch, origin; the collector looks for itself."""
    async with plant(tmp_path) as site:
        await site.ready()
        signed = {"actuator": "curtailment", "origin": "safety", "approved_by": "a, b", "epoch": 1}
        assert await site.write("limit_pct", 120.0, **signed) == OutOfBounds(0, 100)
        assert await site.write("limit_pct", 50.0, **(signed | {"epoch": 2})) == Rejected("stale_epoch")
        assert await site.write("limit_pct", 50.0, **(signed | {"actuator": "loads"})) == Rejected(
            "wrong_class"
        )
        await site.pass_s(100.0)
        site.live.put(_gap(site.live.reading("inverter")))
        assert await site.write("limit_pct", 50.0, **signed) == Rejected("no_telemetry")
        assert not site.recorder.written


async def test_line_05_the_device_is_judged_on_its_own_telemetry(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        site.show("inverter", "limit_pct", None)
        await site.look()
        result = await site.write("limit_pct", 50.0)
        assert result == Rejected("not_implemented")
        assert isinstance(result, Rejected)
        assert result.detail == Reason.SENTINEL.name.lower()


def _gap(reading: Reading | None) -> Reading:
    assert reading is not None
    return replace(reading, values={}, gap=Gap(Reason.TIMEOUT))
