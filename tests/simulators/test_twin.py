"""Plant and shadow: one time, one weather, equal work; and a checkpoint that goes on exactly."""

from datetime import timedelta

import pytest

from igoudar.core.errors import ConfigError
from igoudar.core.model import Job
from igoudar.simulators.summary import drained, summary
from igoudar.simulators.twin import Inputs, Twin, kept_until, pack, unpack, used_wh
from tests.simulators.conftest import START

HOUR = timedelta(hours=1)


@pytest.fixture
def twin(inputs: Inputs) -> Twin:
    twin = Twin.fresh(inputs, START, 120.0)
    twin.advance_to(START + HOUR)
    return twin


def hold_all(twin: Twin) -> None:
    for record in twin.plant.cluster.list():
        if record.state == "waiting":
            twin.plant.cluster.hold(record.job.job_id)


def test_holding_jobs_leaves_the_shadow_alone(inputs: Inputs, twin: Twin) -> None:
    other = Twin.fresh(inputs, START, 120.0)
    for minutes in range(0, 120, 2):
        other.advance_to(START + timedelta(minutes=minutes))
        hold_all(other)
    twin.advance_to(other.now)
    assert other.plant.cluster.gpus_free > other.shadow.cluster.gpus_free
    assert used_wh(other.shadow.totals) == pytest.approx(used_wh(twin.shadow.totals), rel=1e-9)
    assert other.plant.totals.wind_available == pytest.approx(other.shadow.totals.wind_available, rel=1e-9)


def test_quarters_are_the_shadows_mean_load(twin: Twin) -> None:
    assert [start for start, _ in twin.quarters] == [START.timestamp() + 900 * n for n in range(4)]
    energy_wh = sum(load_w for _, load_w in twin.quarters) / 4
    assert energy_wh == pytest.approx(used_wh(twin.shadow.totals), rel=1e-9)


def test_a_restored_twin_goes_on_as_the_one_that_was_never_stopped(inputs: Inputs, twin: Twin) -> None:
    kept = unpack(pack(twin.checkpoint(inputs)), "here")
    assert kept_until(kept) == twin.now
    restored = Twin.restore(inputs, kept)
    for one in (twin, restored):
        one.advance_to(START + 2 * HOUR)
    assert summary(restored) == summary(twin)
    assert restored.quarters == twin.quarters


def test_time_never_runs_back(twin: Twin) -> None:
    steps = twin.steps
    twin.advance_to(START)
    assert (twin.now, twin.steps) == (START + HOUR, steps)


def test_a_submitted_job_is_work_on_both_sides(twin: Twin) -> None:
    twin.submit(Job("mine", "me", 4, twin.now, 600.0))
    twin.advance_to(twin.now + HOUR)
    for side in (twin.plant, twin.shadow):
        assert side.cluster.get("mine").finished is not None


def test_draining_a_checkpoint_ends_with_equal_work(inputs: Inputs, twin: Twin, tmp_path) -> None:
    hold_all(twin)
    twin.advance_to(twin.now + HOUR)
    path = tmp_path / "plant.msgpack"
    path.write_bytes(pack(twin.checkpoint(inputs)))
    result = drained(inputs, path)
    assert result["jobs_finished"] == result["jobs_seen"] > 0
    assert result["work_gpu_s"] == pytest.approx(result["work_gpu_s_run_now"], rel=1e-3)
    assert result["plant_balance_error"] < 1e-3
    assert summary(twin)["jobs_finished"] < result["jobs_finished"]


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"\x81\xa6schema\x09", b"\x93\x01\x02\x03"])
def test_a_file_that_is_no_checkpoint_says_what_to_do(data: bytes) -> None:
    with pytest.raises(ConfigError, match="remove this file"):
        unpack(data, "plant.msgpack")
