"""Readers of measured series: what they accept, and what they say about what they don't."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from igoudar.core.errors import ConfigError
from igoudar.core.model import Site
from igoudar.simulators.plant.generator import JobGenerator
from igoudar.simulators.plant.jobs import flexible_gpus, load_jobs
from igoudar.simulators.plant.resource import ORIGIN, load_resource

from .lab import lab

HEADER = "job_id,user,num_gpu,submit_time,iterations,model_name,duration,interval,expect_time_list,"
HEADER += "expect_value_list,best_effort,job_type\n"
T0 = ORIGIN.timestamp()


def trace(folder: Path, *rows: str) -> Path:
    path = folder / "trace.csv"
    path.write_text(HEADER + "".join(row + "\n" for row in rows))
    return path


def row(
    job_id: str,
    gpus: str = "2",
    submit: str = "5",
    length: str = "60",
    times: str = "90",
    kind: str = "strict",
) -> str:
    return f"{job_id},vc,{gpus},{submit},9,vgg16,{length},3,{times},10,0,{kind}"


def test_deadlines_by_job_type(tmp_path: Path, site: Site) -> None:
    rows = (row("a"), row("b", times="90-120-200", kind="soft"), row("c", kind="best"))
    jobs = {job.job_id: job for job in load_jobs(trace(tmp_path, *rows), site)}
    submitted = ORIGIN + timedelta(minutes=5)
    assert jobs["a"].deadline == submitted + timedelta(minutes=90)
    assert jobs["b"].deadline == submitted + timedelta(minutes=200)
    assert jobs["c"].deadline is None
    assert jobs["a"].duration_s == 3600.0


@pytest.mark.parametrize(
    "bad",
    [
        row("a", gpus="two"),
        row("a", length="-1"),
        row("a", length="nan"),
        row("a", submit="1e400"),
        row("a", times="soon"),
        row("a", kind="maybe"),
        row(""),
        "a,vc,2",
    ],
)
def test_a_malformed_job_row_is_named_by_file_and_line(tmp_path: Path, site: Site, bad: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_jobs(trace(tmp_path, row("ok"), bad), site)
    assert caught.value.where.endswith("trace.csv:3")


def test_a_job_that_stands_twice_is_named_by_both_lines(tmp_path: Path, site: Site) -> None:
    with pytest.raises(ConfigError, match=r"trace\.csv:4: job_id a stands in line 2 already"):
        load_jobs(trace(tmp_path, row("a"), row("b"), row("a")), site)


def test_rows_without_gpus_are_rejected_by_line(tmp_path: Path, site: Site) -> None:
    jobs = load_jobs(trace(tmp_path, row("a", gpus="0"), row("b"), row("c", gpus="0")), site)
    assert jobs.rejected_lines == (2, 4)
    assert [job.job_id for job in jobs] == ["b"]


def test_a_missing_file_or_column_is_said(tmp_path: Path, site: Site) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.csv"):
        load_jobs(tmp_path / "nothing.csv", site)
    (tmp_path / "x.csv").write_text("job_id,user\n1,a\n")
    with pytest.raises(ConfigError, match="no column num_gpu"):
        load_jobs(tmp_path / "x.csv", site)


def test_a_trace_goes_round_for_ever_with_new_ids(tmp_path: Path, site: Site) -> None:
    jobs = load_jobs(trace(tmp_path, row("a"), row("b", submit="1000")), site)
    ids = [job.job_id for job in jobs.between(T0, T0 + 3 * jobs.period_s)]
    assert ids == ["a", "b", "a+1", "b+1", "a+2", "b+2"]
    assert [job.job_id for job in jobs.between(T0 + 300.0, T0 + 301.0)] == ["a"]
    assert jobs.between(T0 + 301.0, T0 + 302.0) == []


def test_a_large_site_multiplies_gpus(tmp_path: Path) -> None:
    path = trace(tmp_path, *(row(str(i), gpus="8", length="1440", submit=str(i)) for i in range(10)))
    jobs = load_jobs(path, lab(4))
    assert {job.gpus for job in jobs} == {8 * round(0.8 * 4 * 288 / 80)}


def test_a_small_site_keeps_the_same_share_every_time(tmp_path: Path, site: Site) -> None:
    path = trace(tmp_path, *(row(str(i), gpus="8", length="1440", submit=str(i)) for i in range(100)))
    first, second = load_jobs(path, site), load_jobs(path, site)
    assert [job.job_id for job in first] == [job.job_id for job in second]
    assert sum(job.gpus for job in first) == pytest.approx(0.8 * flexible_gpus(site), rel=0.05)


def test_the_generator_fills_four_fifths_of_the_flexible_half(site: Site) -> None:
    gpus = flexible_gpus(site)
    jobs = JobGenerator(gpus, 1).between(T0, T0 + 14 * 86_400.0)
    used = sum(job.gpus * job.duration_s for job in jobs) / (14 * 86_400.0)
    assert used == pytest.approx(0.8 * gpus, rel=0.1)
    assert all(
        job.deadline and job.deadline > job.submitted + timedelta(seconds=job.duration_s) for job in jobs
    )


def test_the_generator_gives_the_same_jobs_in_any_slices() -> None:
    source = JobGenerator(288, 4)
    whole = source.between(T0, T0 + 86_400.0)
    halves = source.between(T0, T0 + 40_000.0) + source.between(T0 + 40_000.0, T0 + 86_400.0)
    assert whole == halves


def resource_file(folder: Path, *rows: str) -> Path:
    path = folder / "MAR-DAK_RES-HYBR_aggregated.csv"
    path.write_text("period_id,TimeStep,PV-FIX,WIND-ON\n" + "".join(row + "\n" for row in rows))
    return path


def test_a_resource_wraps_round_and_keeps_the_energy_of_its_hours(tmp_path: Path) -> None:
    resource_file(tmp_path, *(f"0,{i},{(i % 5) / 5},{(i % 7) / 7}" for i in range(70)))
    resource = load_resource(tmp_path)
    days = [resource.day(20_094 + d, 1441) for d in range(35)]  # a whole number of rounds
    minutes = np.concatenate([(pv[1:] + pv[:-1]) / 2.0 for pv, _ in days])
    assert minutes.mean() == pytest.approx(float(resource.pv_ratio.mean()), abs=2e-4)
    assert days[0][1][30] == pytest.approx(float(resource.wind_ratio[0]))  # the middle of the first hour


@pytest.mark.parametrize("bad", ["0,2,1.5,0.1", "0,2,,0.1", "0,2,dark,0.1", "0,2,nan,0.1"])
def test_a_malformed_factor_is_named_by_file_and_line(tmp_path: Path, bad: str) -> None:
    resource_file(tmp_path, "0,0,0.1,0.2", "0,1,0.1,0.2", bad)
    with pytest.raises(ConfigError, match=r"aggregated\.csv:4: not two capacity factors"):
        load_resource(tmp_path)


def test_a_folder_without_a_resource_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="RES-HYBR"):
        load_resource(tmp_path)
    with pytest.raises(ConfigError, match="no rows"):
        load_resource(resource_file(tmp_path))


def test_the_real_series_have_their_published_figures(site: Site, shared_data: Path) -> None:
    resource = load_resource(shared_data / "dakhla_ptxboa")
    assert len(resource.pv_ratio) == 1344
    assert float(np.corrcoef(resource.pv_ratio, resource.wind_ratio)[0, 1]) == pytest.approx(-0.28, abs=0.005)
    jobs = load_jobs(shared_data / "gpu_jobs" / "chronus_trace_job_Philly_SLO.csv", site)
    assert len(jobs.rejected_lines) == 205
    used = sum(job.gpus * job.duration_s for job in jobs) / jobs.period_s
    assert used == pytest.approx(0.8 * flexible_gpus(site), rel=0.02)
