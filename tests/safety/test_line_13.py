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

from .machine import BATTERY, PV, SLACK, TIMER_S, TRIES, Drive, Taken, asked, reversion_s, went_back

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
    for _ in range(TRIES):
        taken = killed_at_work(parts, drive, killed)
        assert taken.least_s <= bar_s
        if taken.most_s <= bar_s:
            return
        parts.start(*killed)  # two looks stood too far apart to tell
    raise AssertionError(f"not seen sharply in {TRIES} tries")


def killed_at_work(parts: Apart, drive: Drive, killed: tuple[str, ...]) -> Taken:
    """Control drives the machine for longer than its timer, dies, and the machine goes back."""
    parts.controlled()
    machine = asked(parts, drive)
    wait_until("the timer is armed", lambda: machine.shown()[1] == TIMER_S)
    renewed = parts.clock.now() + timedelta(seconds=1.2 * TIMER_S)
    wait_until("control to outlast the timer", lambda: parts.clock.now() > renewed and machine.driven())
    since = parts.clock.now()
    for name in killed:
        parts.end(name)
    taken = went_back(parts, machine, since, until=parts.clock.now())
    machine.close()
    return taken
