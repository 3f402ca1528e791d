from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.control.planner.conftest import GPUS, NOW, job, powers

from igoudar.control.actuation.schedulers import Queue
from igoudar.control.ledger import IMPORT, Books, Ledger
from igoudar.control.planner.climate import sun_height, teaching
from igoudar.control.planner.frame import Used, view
from igoudar.control.planner.past import arrivals_gpu_s, seen, used
from igoudar.control.planning.requests import Margins
from igoudar.core.errors import ConfigError
from igoudar.core.model import JobState
from igoudar.core.store.protocol import Series

ROLES = {"pv": 200e3, "wind": 100e3, "it": 500e3, "transformer": 550e3, "grid": 350e3, "desalination": 20e3}


@pytest.fixture
def books() -> Books:
    return Books({(role, IMPORT): (Series(role, "e"),) for role in ROLES})


@pytest.fixture
def ledger() -> Ledger:
    """Six hours of constant powers, read every minute."""
    found = Ledger(gap_s=180.0)
    for minute in range(360, -1, -1):
        at = NOW - timedelta(minutes=minute)
        for role, power_w in ROLES.items():
            found.note(Series(role, "e"), at, 1e6 + power_w * (360 - minute) / 60)
    return found


def queue(*jobs: Any) -> Queue:
    return Queue(NOW, GPUS, GPUS, GPUS, tuple(jobs))


def test_what_was_not_read_is_unknown_and_flexible_work_is_not_urgent(
    ledger: Ledger, books: Books, site: Any
) -> None:
    ran = job("ran", gpus=80, state=JobState.RUNNING, started=NOW - timedelta(hours=2))
    found, _ = view(NOW, site, queue(ran), [ran], powers(), 1.1, 50.0, Used(), Margins())
    records = seen(ledger, books, queue(ran), found)
    pv, urgent = records["pv"].steps, records["urgent"].steps
    assert np.isnan(pv[:100]).all()
    assert pv[-5:-1] == pytest.approx(200e3)
    assert pv[-1] == 400e3
    assert urgent[-14] == pytest.approx(500e3)
    assert urgent[-3] == pytest.approx(500e3 - 80 * found.limits.gpu_w)
    assert records["pv"].start_hour == (NOW - timedelta(hours=48)).hour


def test_the_days_quantities_and_the_weeks_peak_come_from_the_counters(ledger: Ledger, books: Books) -> None:
    counted = used(ledger, books, NOW)
    assert counted.desalinated_wh == pytest.approx(20e3 * 6)
    assert counted.electrolysed_wh == 0.0
    midnight = NOW.replace(hour=0, minute=0)
    assert counted.peak_import_w == pytest.approx(350e3)
    assert counted.unread_h == pytest.approx((NOW - midnight).total_seconds() / 3600 - 6)


def test_hours_that_nobody_read_count_as_drawn_evenly(site: Any) -> None:
    unread = Used(desalinated_wh=20e3, unread_h=6.0)
    found, notes = view(NOW, site, queue(), [], powers(), 1.1, 50.0, unread, Margins())
    assert found.desalinated_wh == pytest.approx(20e3 + site.desalination.daily_wh / 4)
    assert [note.code for note in notes if "drives" in note.code] == []


def test_a_quantity_that_can_not_be_met_any_more_is_let_go_and_told(site: Any) -> None:
    late = NOW.replace(hour=23, minute=30)
    found, notes = view(late, site, queue(), [], powers(), 1.1, None, Used(), Margins())
    assert found.desalinated_wh == pytest.approx(site.desalination.daily_wh - site.desalination.power_w / 2)
    assert {why.code for why in notes} == {"planner.note_drives_short", "planner.note_no_charge"}


def test_arrivals_are_the_last_days_mean_of_at_least_six_hours() -> None:
    known = queue(job("a", gpus=10, hours=1), job("b", flexible=False))
    assert arrivals_gpu_s(known, NOW, None) == pytest.approx(36_000 / 24)
    assert arrivals_gpu_s(known, NOW, NOW - timedelta(days=3)) == pytest.approx(36_000 / 96)


def test_it_learns_from_measured_factors_or_from_the_suns_course(tmp_path: Path, site: Any) -> None:
    file = tmp_path / "x.csv"
    file.write_text("period_id,PV-FIX,WIND-ON\n" + "0,0.5,0.25\n" * 48 + "1,0.1,1.0\n" * 24)
    taught = teaching(site, file, NOW)
    assert [len(record.steps) for record in taught["pv"]] == [192, 96]
    assert taught["wind"][1].steps[0] == pytest.approx(site.wind.ac_w * site.wind.derating)
    alone = teaching(site, None, NOW)
    assert max(record.steps.max() for record in alone["pv"]) < site.solar.ac_w
    assert not alone["wind"]
    with pytest.raises(ConfigError, match="0 files match"):
        teaching(site, tmp_path / "missing", NOW)
    file.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="can't be read"):
        teaching(site, file, NOW)


def test_the_sun_stands_highest_at_noon_of_its_own_meridian() -> None:
    hours = np.arange(0.0, 24.0, 0.25)
    height = sun_height(23.7, -15.0, 172, hours)
    assert hours[height.argmax()] == 13.0
    assert height.max() > 0.99
    assert height[0] == 0.0
