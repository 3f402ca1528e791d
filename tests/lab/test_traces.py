import pytest
from tests.lab.conftest import JOB_HEAD, write_csv

from igoudar.core.errors import ConfigError
from igoudar.lab.traces import load_trace

GOOD = ("a", "u", 4, 10, 60, "120", "strict")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("b", "u", 0, 10, 60, "120", "strict"), "no_gpus"),
        (("b", "u", -2, 10, 60, "120", "strict"), "no_gpus"),
        (("b", "u", 4, 10, 60, "-5", "strict"), "deadline_before_submission"),
        (("b", "u", 4, 10, 60, "88--5", "soft"), "deadline_before_submission"),
        (("b", "u", 4, 10, 0, "120", "strict"), "no_duration"),
        (("b", "u", 4, "nan", 60, "120", "strict"), "not_a_number"),
        (("b", "u", 4, "", 60, "120", "strict"), "not_a_number"),
        (("b", "u", "four", 10, 60, "120", "strict"), "not_a_number"),
        (("b", "u", 4, -1, 60, "120", "strict"), "before_the_trace"),
        (("b", "u", 4, 10, 60, "soon", "strict"), "not_a_number"),
    ],
)
def test_a_bad_row_is_rejected_by_its_line_and_the_rest_is_kept(tmp_path, row, reason):
    trace = load_trace(write_csv(tmp_path / "j.csv", JOB_HEAD, [GOOD, row, GOOD]), 1, 24.0)
    assert trace.jobs.height == 2
    assert trace.rejected.select("line", "reason").rows() == [(3, reason)]


def test_a_deadline_before_its_submission_is_rejected(tmp_path):
    head = ("arrival_time", "length", "cpus")
    trace = load_trace(write_csv(tmp_path / "p.csv", head, [(5, 1, 2), (6, 2, 2)]), 1, -1.5)
    assert trace.rejected.select("line", "reason").rows() == [(2, "deadline_before_submission")]


def test_deadlines_by_kind(tmp_path):
    rows = [GOOD, ("b", "u", 4, 11, 60, "120-300", "soft"), ("c", "u", 4, 12, 60, "0", "best")]
    trace = load_trace(write_csv(tmp_path / "j.csv", JOB_HEAD, rows), 6, 24.0)
    assert trace.jobs["deadline_s"].to_list() == [130 * 60, 311 * 60, float("inf")]
    assert trace.jobs["gpus"].to_list() == [24, 24, 24]


def test_pai_counts_cpus_as_gpus_and_gives_slack(tmp_path):
    trace = load_trace(
        write_csv(tmp_path / "p.csv", ("arrival_time", "length", "cpus"), [(2, 3, 5)]), 2, 24.0
    )
    assert trace.jobs.select("gpus", "submitted_s", "duration_s", "deadline_s").row(0) == (
        10,
        7200.0,
        10800.0,
        29 * 3600.0,
    )


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="of no known job format"):
        load_trace(write_csv(tmp_path / "j.csv", ("a", "b"), [(1, 2)]), 1, 24.0)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.csv: can't be read"):
        load_trace(tmp_path / "none.csv", 1, 24.0)


def test_the_real_traces_reject_their_jobs_without_gpus(shared_data):
    trace = load_trace(shared_data / "gpu_jobs" / "chronus_trace_job_Philly_SLO.csv", 6, 24.0)
    assert set(trace.rejected["reason"]) == {"no_gpus"}
    assert trace.rejected.height == 205
    assert trace.span_s == 14 * 86_400
