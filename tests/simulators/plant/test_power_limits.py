"""A power shelf's limit acts on its rack: flexible jobs first, at the pace that their power leaves them."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.core.model import Device, Job, Kind
from igoudar.core.throughput import CURVE, power_ratio, throughput_of_dynamic, throughput_ratio
from igoudar.simulators.plant.plant import Plant
from igoudar.simulators.plant.power_limits import PowerLimits

from .lab import START, breeze, lab

HOUR_S = 3600.0


def plant_with(*jobs: Job) -> Plant:
    return Plant(lab(), START, 1, breeze(), jobs)


def job(name: str, gpus: int, hours: float) -> Job:
    return Job(name, "u", gpus, START, hours * HOUR_S, START + timedelta(days=9))


def shelf(plant: Plant, rack: int) -> Device:
    return [device for device in plant.site.devices if device.kind is Kind.POWER_SHELF][rack]


def cap(plant: Plant, rack: int, limit_w: float) -> None:
    plant.write(shelf(plant, rack), "power_limit_w", limit_w)
    plant.write(shelf(plant, rack), "limit_enabled_state", 1.0)


def running_rack(plant: Plant) -> int:
    return int(np.flatnonzero(plant.cluster.busy)[0])


def test_the_curve_is_the_scenarios() -> None:
    assert [throughput_ratio(power) for power, _ in CURVE] == pytest.approx([work for _, work in CURVE])
    assert throughput_ratio(0.1) == 0.0
    assert throughput_of_dynamic(0.0) == 0.0
    assert throughput_of_dynamic(1.0) == 1.0


@given(st.floats(0.0, 1.0))
def test_the_curve_goes_both_ways_and_never_down(work: float) -> None:
    assert throughput_ratio(power_ratio(work)) == pytest.approx(work, abs=1e-9)
    assert throughput_ratio(min(1.0, power_ratio(work) + 0.01)) >= work - 1e-9


@given(st.floats(0, 2e5), st.floats(0, 5e4), st.floats(0, 5e4))
def test_a_limit_takes_from_flexible_first_and_never_from_idle(
    limit_w: float, urgent_w: float, flexible_w: float
) -> None:
    limits, idle = PowerLimits(1), np.array([29e3])
    limits.limit_w[0] = limit_w
    urgent, flexible = limits.share_out(idle, np.array([urgent_w]), np.array([flexible_w]))
    assert urgent[0] + flexible[0] <= max(0.0, limit_w - 29e3) + 1e-6
    assert (flexible[0] == 0.0) or (urgent[0] == urgent_w)
    assert limits.urgent_cut_w == pytest.approx(urgent_w - urgent[0])
    assert 0.0 <= limits.throughput[0] <= 1.0


def test_an_uncapped_shelf_binds_nobody() -> None:
    plant = plant_with(job("j", 36, 1.0))
    plant.step(2 * HOUR_S)
    assert plant.totals.urgent_cut == 0.0
    assert plant.cluster.jobs["j"].finished == START + timedelta(hours=1)


def test_a_capped_rack_draws_its_limit_and_its_job_takes_longer() -> None:
    plant = plant_with(job("j", 36, 10.0))
    plant.step(60.0)
    rack = running_rack(plant)
    free_w = float(plant.racks.power_w[rack])
    cap(plant, rack, free_w - 20e3)
    plant.step(HOUR_S)
    assert plant.racks.power_w[rack] == pytest.approx(free_w - 20e3)
    assert plant.totals.urgent_cut == 0.0
    shown = plant.values(shelf(plant, rack))
    assert shown["applied_limit_w"] == pytest.approx(free_w - 20e3)
    record = plant.cluster.jobs["j"]
    assert 0.2 < record.pace < 0.9
    done_s = record.work_done_s(plant.time_s)
    assert 60.0 + 0.2 * HOUR_S < done_s < 60.0 + 0.9 * HOUR_S
    plant.write(shelf(plant, rack), "limit_enabled_state", 0.0)
    plant.step(HOUR_S)
    assert record.pace == 1.0
    assert record.work_done_s(plant.time_s) == pytest.approx(done_s + HOUR_S, abs=61.0)
    plant.step(12 * HOUR_S)
    assert record.finished is not None
    assert record.finished > START + timedelta(hours=10)


def test_a_gang_goes_at_the_pace_of_its_slowest_rack() -> None:
    plant = plant_with(job("j", 72, 10.0))
    plant.step(60.0)
    first, second = np.flatnonzero(plant.cluster.busy)[:2]
    cap(plant, int(first), float(plant.racks.power_w[first]) - 10e3)
    cap(plant, int(second), float(plant.racks.power_w[second]) - 20e3)
    plant.step(60.0)
    throughput = plant.racks.limits.throughput
    assert throughput[second] < throughput[first] < 1.0
    assert plant.cluster.jobs["j"].pace == pytest.approx(float(throughput[second]))


def test_a_limit_at_idle_stops_the_job_and_it_goes_on_afterwards() -> None:
    plant = plant_with(job("j", 36, 1.0))
    plant.step(60.0)
    rack = running_rack(plant)
    cap(plant, rack, float(plant.racks.idle_w[rack]))
    plant.step(5 * HOUR_S)
    record = plant.cluster.jobs["j"]
    assert record.pace == 0.0
    assert record.work_done_s(plant.time_s) == pytest.approx(60.0, abs=1.0)
    assert plant.totals.urgent_cut > 0.0  # and this is seen
    plant.write(shelf(plant, rack), "limit_enabled_state", 0.0)
    plant.step(2 * HOUR_S)
    assert record.finished is not None


def test_the_work_is_the_same_however_it_was_slowed() -> None:
    plant = plant_with(job("a", 36, 3.0), job("b", 20, 2.0))
    plant.step(60.0)
    for rack in range(8):
        cap(plant, rack, 90e3)
    plant.step(HOUR_S)
    for rack in range(8):
        cap(plant, rack, 132e3)
    plant.step(20 * HOUR_S)
    assert plant.cluster.idle
    assert plant.cluster.work_gpu_s() == pytest.approx((36 * 3 + 20 * 2) * HOUR_S)
    assert plant.totals.balance_error() < 1e-9


def test_limits_and_paces_survive_a_restart() -> None:
    plant = plant_with(job("j", 36, 10.0))
    plant.step(60.0)
    rack = running_rack(plant)
    cap(plant, rack, float(plant.racks.power_w[rack]) - 20e3)
    plant.step(60.0)
    again = Plant.restore(plant.site, plant.checkpoint(), breeze(), [job("j", 36, 10.0)])
    for one in (plant, again):
        one.step(HOUR_S)
    assert again.racks.power_w == pytest.approx(plant.racks.power_w)
    assert again.cluster.jobs["j"].pace == plant.cluster.jobs["j"].pace < 1.0
    assert again.cluster.work_gpu_s() == pytest.approx(plant.cluster.work_gpu_s())
