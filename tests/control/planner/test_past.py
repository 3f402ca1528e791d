from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control.planner.conftest import GPUS, NOW, job, powers

from igoudar.control.actuation.schedulers import Queue
from igoudar.control.ledger import IMPORT, Books, Ledger
from igoudar.control.planner.climate import sun_height, teaching
from igoudar.control.planner.dimming import Dimming
from igoudar.control.planner.frame import Used, limits, view
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


def test_while_a_job_stood_its_gpus_were_nobodys(ledger: Ledger, books: Books, site: Any) -> None:
    stands = job("stands", gpus=80, state=JobState.SUSPENDED, started=NOW - timedelta(hours=4))
    found, _ = view(NOW, site, queue(stands), [stands], powers(), 1.1, 50.0, Used(), Margins())
    records = seen(ledger, books, queue(stands), found, [("stands", NOW - timedelta(hours=2), NOW)])
    urgent = records["urgent"].steps
    assert urgent[-14] == pytest.approx(500e3 - 80 * found.limits.gpu_w)
    assert urgent[-3] == pytest.approx(500e3)


@given(
    urgent_w=st.floats(0.0, 2e6),
    gpus=st.lists(st.integers(1, 72), max_size=6),
    ratios=st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6),
)
def test_urgent_load_is_what_is_left_of_the_meters_whatever_caps_stand(
    lab: Any, urgent_w: float, gpus: list[int], ratios: list[float]
) -> None:
    jobs = [
        job(f"j{n}", gpus=count, state=JobState.RUNNING, started=NOW, racks=(f"r{n}", f"r{n + 1}"))
        for n, count in enumerate(gpus)
    ]
    dimmed = {f"r{n}": ratio for n, ratio in enumerate(ratios)}  # the last rack has no cap
    gpu_w = limits(lab.site, GPUS).gpu_w
    drawn_w = sum(one.gpus / 2 * gpu_w * dimmed.get(rack, 1.0) for one in jobs for rack in one.racks)
    found, _ = view(
        NOW,
        lab.site,
        queue(*jobs),
        jobs,
        powers(it_w=urgent_w + drawn_w),
        1.1,
        50.0,
        Used(),
        Margins(),
        dimmed,
    )
    assert found.urgent_w == pytest.approx(urgent_w, abs=1e-6 * (urgent_w + drawn_w) + 1e-3)


def test_the_past_is_reckoned_with_the_caps_that_stood_then(ledger: Ledger, books: Books, site: Any) -> None:
    ran = job("ran", gpus=80, state=JobState.RUNNING, started=NOW - timedelta(hours=6), racks=("r",))
    idle = job("waits", gpus=500)
    dimming = Dimming()
    dimming.note(NOW - timedelta(days=4), [ran], {"r": 0.0})
    for minutes, ratio in ((50, 0.5), (45, 0.7), (31, 1.0)):
        dimming.note(NOW - timedelta(minutes=minutes), [ran, idle], {"r": ratio})
    found, _ = view(NOW, site, queue(ran), [ran], powers(), 1.1, 50.0, Used(), Margins())
    urgent = seen(ledger, books, queue(ran), found, left=dimming.ratios)["urgent"].steps
    full_w = 80 * found.limits.gpu_w
    assert urgent[-4] == pytest.approx(500e3 - 0.6 * full_w)  # 9:15 to 9:30
    assert urgent[-3] == pytest.approx(500e3 - full_w)
    assert urgent[-9] == pytest.approx(500e3 - full_w)  # nobody noted it
    assert len(dimming._steps) == 2


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
