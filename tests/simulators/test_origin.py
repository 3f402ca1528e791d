"""Where site time starts or goes on."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.core.clock import SiteClock
from igoudar.core.model import Site
from igoudar.simulators.origin import MOST_CATCH_UP, first_start, resume_at, running_clock, usable
from igoudar.simulators.plant.resource import ORIGIN
from igoudar.simulators.twin import Inputs
from tests.simulators.conftest import START

HOUR = timedelta(hours=1)


def kept_at(at: datetime, **changed: object) -> dict[str, object]:
    return {"site": "jazari-lab", "seed": 7, "sources": "", "time_s": at.timestamp(), **changed}


def test_a_first_start_is_as_asked_or_the_replays_or_this_morning() -> None:
    assert first_start(START.replace(tzinfo=None), replayed=True) == START
    assert first_start(None, replayed=True) == ORIGIN
    assert first_start(None, replayed=False).hour == 6


@pytest.mark.parametrize(
    ("kept", "stored", "wanted"),
    [
        (None, None, START),
        (kept_at(START + HOUR), None, START + HOUR),
        (kept_at(START + HOUR), START + 2 * HOUR, START + 2 * HOUR),
        (None, START - HOUR, START - HOUR),
    ],
)
def test_a_new_run_resumes_after_all_that_is_known(
    kept: dict[str, object] | None, stored: datetime | None, wanted: datetime
) -> None:
    assert resume_at(START, kept, stored) == wanted


def test_only_a_checkpoint_of_these_inputs_and_not_too_old_is_used(site: Site) -> None:
    inputs, now = Inputs(site, 7), START + 3 * HOUR
    assert usable(inputs, kept_at(START), now)
    assert usable(inputs, None, now) is None
    assert usable(inputs, kept_at(START, seed=8), now) is None
    assert usable(inputs, kept_at(START, sources="a|b"), now) is None
    assert usable(inputs, kept_at(now - MOST_CATCH_UP - HOUR), now) is None


def test_a_restarted_part_keeps_its_runs_clock(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    assert running_clock(path, "r1", 60) is None
    clock = SiteClock(datetime(2026, 1, 1, tzinfo=UTC), time.monotonic() - 1, 60.0, "r1")
    clock.save(path)
    assert running_clock(path, "r1", 60) == clock
    assert running_clock(path, "r2", 60) is None
    assert running_clock(path, "", 60) is None
    assert running_clock(path, "r1", 30) is None


def test_a_clock_from_before_a_reboot_or_a_broken_one_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    SiteClock(START, time.monotonic() + 1e6, 60.0, "r1").save(path)
    assert running_clock(path, "r1", 60) is None
    path.write_text("{")
    assert running_clock(path, "r1", 60) is None
