from datetime import UTC, datetime

import numpy as np
import pytest
from tests.lab.conftest import JOB_HEAD, job_rows, write_csv

from igoudar.lab.inputs import load_inputs
from igoudar.lab.periods import build_periods, limits_of
from igoudar.lab.resources import load_periods
from igoudar.lab.traces import load_trace


@pytest.fixture
def periods(scenario):
    return load_inputs(scenario()).periods(scenario())


def test_periods_lie_end_to_end_from_the_pinned_monday(periods):
    assert [p.start for p in periods] == [datetime(2025, 1, 6, tzinfo=UTC), datetime(2025, 1, 8, tzinfo=UTC)]
    assert [p.weight for p in periods] == [3.0, 1.0]


def test_urgent_load_swings_by_the_hour_of_the_period(periods, scenario):
    hours = np.arange(192) / 4
    expected = 0.48 * 1.6e6 * (1 + 0.15 * np.sin(2 * np.pi * (hours - 14) / 24))
    assert periods[1].urgent_w == pytest.approx(expected)
    assert set(periods[0].pue) == {1.08}


def test_windows_are_weeks_of_the_trace_in_turn(tmp_path, resource, scenario):
    trace = load_trace(write_csv(tmp_path / "two.csv", JOB_HEAD, job_rows(14)), 1, 24.0)
    assert trace.span_s == 14 * 86_400
    first, second = build_periods(scenario(), load_periods(resource, 4), trace)
    assert (first.jobs.job_id[0], second.jobs.job_id[0]) == ("j0", "j336")
    assert second.jobs.submitted_s[0] == 0.0
    first, second = build_periods(scenario(first_week=1), load_periods(resource, 4), trace)
    assert (first.jobs.job_id[0], second.jobs.job_id[0]) == ("j336", "j0")


def test_a_job_that_would_not_end_inside_is_left_out_with_its_reason(tmp_path, resource, scenario):
    rows = [
        ("ends", "u", 4, 2880 - 60, 60, "600", "strict"),
        ("outlasts", "u", 4, 2880 - 59, 60, "600", "strict"),
        ("rounded", "u", 4, 2880 - 60, 61, "600", "strict"),
        ("huge", "u", 801, 0, 60, "600", "strict"),
    ]
    trace = load_trace(write_csv(tmp_path / "few.csv", JOB_HEAD, rows), 1, 24.0)
    period = build_periods(scenario(), load_periods(resource, 4), trace)[0]
    assert period.jobs.job_id == ("ends",)
    assert dict(period.rejected.select("job_id", "reason").rows()) == {
        "outlasts": "outlasts_its_period",
        "rounded": "outlasts_its_period",
        "huge": "more_gpus_than_the_site",
    }


def test_later_deadlines_and_none_become_the_end(periods):
    for period in periods:
        assert period.jobs.deadline_s.max() <= period.end_s
        assert (period.jobs.deadline_s == period.end_s).any()


def test_power_of_a_gpu_is_the_cap_over_all(scenario):
    limits = limits_of(scenario(gpus=20880, it_cap_mw=40.0))
    assert limits.gpu_w == pytest.approx(1916, abs=0.5)


def test_learned_durations_never_come_from_the_future(tmp_path, scenario, resource):
    """Jobs of the first day decide; what later ones last changes nothing for those before."""
    rows = job_rows(2)
    longer = [(*row[:4], row[4] * 3, *row[5:]) if number >= 48 else row for number, row in enumerate(rows)]
    found = []
    for name, content in (("a.csv", rows), ("b.csv", longer)):
        setting = scenario(jobs=str(write_csv(tmp_path / name, JOB_HEAD, content)), durations="learned")
        found.append(load_inputs(setting).trace.jobs.head(48))
    assert found[0].equals(found[1])
    assert not (found[0]["expected_s"] == found[0]["duration_s"]).any()


def test_learned_durations_reach_the_jobs(scenario):
    jobs = load_inputs(scenario(durations="learned")).periods(scenario(durations="learned"))[0].jobs
    assert (jobs.longest_s >= jobs.expected_s).all()
    assert not np.array_equal(jobs.expected_s, jobs.duration_s)
