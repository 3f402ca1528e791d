"""13. After SIGKILL the plant is at its safe value within a measured time.

The reversion is measured first, by an outsider's SunSpec client on a plant that none of ours speaks to; then
control (and the collector as well) is killed while it holds the same setpoint.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.apart import Apart, apart
from tests.app.live import wait_until

from .machine import BATTERY, PV, SLACK, TIMER_S, Drive, asked, reversion_s, safe_after_s

pytestmark = pytest.mark.xdist_group("apart")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Apart]:
    with apart(tmp_path / "state") as running:
        running.start("simulate")
        wait_until("devices", (running.state / "clock.json").exists)
        yield running


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
