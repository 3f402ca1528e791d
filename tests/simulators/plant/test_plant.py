"""The whole plant: energy closes, the same seed gives the same world, writes act on the physics."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igoudar.core.errors import CommandError, ConfigError
from igoudar.core.model import Device, Grid, Job, Kind, Site, WindFarm
from igoudar.simulators.plant.plant import Plant, drain

from .lab import START, breeze, lab

NOON_S = 13 * 3600.0
WRITES = [
    ("inverter-1", "limit_pct", 0.0, 100.0),
    ("inverter-1", "limit_enabled_state", 0.0, 1.0),
    ("turbine-1", "limit_w", 0.0, 500e3),
    ("battery-1", "storage_mode_state", 0.0, 3.0),
    ("battery-1", "discharge_rate_pct", -100.0, 100.0),
    ("battery-1", "charge_rate_pct", -100.0, 100.0),
    ("battery-1", "reserve_pct", 0.0, 60.0),
    ("chiller-1", "enable_state", 0.0, 1.0),
    ("cdu-1", "setpoint_c", 20.0, 45.0),
    ("plant-1", "setpoint_c", 15.0, 40.0),
    ("desalination-1", "limit_w", 0.0, 80e3),
    ("electrolyser-1", "enable_state", 0.0, 1.0),
]


def plant(site: Site | None = None, seed: int = 1) -> Plant:
    return Plant(site or lab(), START, seed, breeze())


def device(made: Plant, name: str) -> Device:
    return next(one for one in made.site.devices if one.name == name)


def value(made: Plant, name: str, point: str) -> float:
    found = made.values(device(made, name))[point]
    assert found is not None
    return found


def write(made: Plant, name: str, point: str, number: float) -> None:
    made.write(device(made, name), point, number)


ACTIONS = st.lists(
    st.tuples(st.sampled_from(WRITES), st.floats(0.0, 1.0), st.floats(0.5, 9000.0), st.integers(0, 3)),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(actions=ACTIONS)
def test_energy_closes_and_counters_only_grow_whatever_is_done(
    actions: list[tuple[tuple[str, str, float, float], float, float, int]],
) -> None:
    made = plant()
    before = counters(made)
    for (name, point, low, high), part, seconds, jobs in actions:
        write(made, name, point, low + part * (high - low))
        for record in made.cluster.list()[:jobs]:
            if record.job.job_id in made.cluster.running:
                made.cluster.suspend(record.job.job_id)
        made.step(seconds)
        after = counters(made)
        assert all(after[key] >= before[key] for key in before)
        before = after
    assert made.totals.balance_error() < 1e-9
    assert made.totals.curtailed >= -1e-6
    assert 0.0 <= made.battery.soc_pct <= 95.0 + 1e-9


def counters(made: Plant) -> dict[tuple[str, str], float]:
    return {
        (one.name, point): number
        for one in made.site.devices
        for point, number in made.values(one).items()
        if point.endswith(("_wh", "_m3", "_kg")) and number is not None
    }


def test_the_same_seed_gives_the_same_plant_and_another_does_not() -> None:
    plants = [plant(seed=seed) for seed in (1, 1, 2)]
    for made in plants:
        made.step(7200.0)
    assert plants[0].checkpoint() == plants[1].checkpoint()
    assert plants[0].totals != plants[2].totals


def test_large_and_small_steps_lead_to_the_same_energies() -> None:
    one, other = plant(), plant()
    one.step(7200.0)
    for _ in range(480):
        other.step(15.0)
    assert other.totals.wind_available == pytest.approx(one.totals.wind_available, rel=1e-6)
    assert other.totals.it == pytest.approx(one.totals.it, rel=1e-4)
    assert other.cluster.finished_count == one.cluster.finished_count


def test_a_shadow_sees_the_same_sky_whatever_the_jobs_do() -> None:
    real, shadow = plant(), plant()
    real.step(600.0)
    shadow.step(600.0)
    for record in real.cluster.list():
        if record.job.job_id in real.cluster.running:
            real.cluster.suspend(record.job.job_id)
    real.step(80_000.0)
    shadow.step(80_000.0)
    assert real.sky == shadow.sky
    assert real.totals.pv_available == pytest.approx(shadow.totals.pv_available, rel=1e-6)
    assert real.totals.flexible < shadow.totals.flexible


def test_a_restored_plant_goes_on_as_if_nothing_had_been() -> None:
    made = plant()
    write(made, "inverter-1", "limit_pct", 40.0)
    write(made, "inverter-1", "limit_enabled_state", 1.0)
    write(made, "desalination-1", "limit_w", 5e3)
    made.step(20_000.0)
    made.cluster.suspend(next(iter(sorted(made.cluster.running))))
    again = Plant.restore(made.site, made.checkpoint(), breeze())
    for one in (made, again):
        one.step(50_000.0)
    assert again.checkpoint() == made.checkpoint()
    assert {d.name: made.values(d) for d in made.site.devices} == {
        d.name: again.values(d) for d in made.site.devices
    }


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x81\xa6schema\x63"])
def test_a_broken_checkpoint_is_said(data: bytes) -> None:
    with pytest.raises(ConfigError, match="plant checkpoint"):
        Plant.restore(lab(), data)


def test_a_checkpoint_of_another_site_is_refused() -> None:
    with pytest.raises(ConfigError, match="it is of site lab"):
        Plant.restore(lab(2), plant().checkpoint(), breeze())


def test_a_curtailed_inverter_gives_less_and_the_loss_is_counted() -> None:
    made = plant()
    made.step(NOON_S)
    full = value(made, "inverter-1", "active_power_w")
    write(made, "inverter-1", "limit_pct", 20.0)
    assert value(made, "inverter-1", "limit_pct") == 20.0
    made.step(60.0)
    assert value(made, "inverter-1", "active_power_w") == pytest.approx(full, rel=0.05)  # not enabled yet
    write(made, "inverter-1", "limit_enabled_state", 1.0)
    made.step(60.0)
    before = made.totals.curtailed
    assert value(made, "inverter-1", "active_power_w") == pytest.approx(0.2 * 300e3)
    assert value(made, "inverter-1", "operating_state") == 5.0
    made.step(3600.0)
    assert made.totals.curtailed - before > 0.3 * full
    write(made, "inverter-1", "limit_enabled_state", 0.0)
    made.step(60.0)
    assert value(made, "inverter-1", "active_power_w") > 0.8 * full


def test_a_turbine_keeps_its_limit() -> None:
    made = plant()
    write(made, "turbine-1", "limit_w", 50e3)
    made.step(6 * 3600.0)
    assert value(made, "turbine-1", "active_power_w") <= 50e3
    assert made.totals.wind < made.totals.wind_available


def test_what_neither_battery_nor_grid_takes_is_curtailed() -> None:
    made = Plant(replace(lab(), wind=WindFarm(1, 8e6), grid=Grid(1.5e6, 100e3)), START, 1, breeze())
    made.step(86_400.0)
    assert made.totals.curtailed > 0.0
    assert made.totals.grid_export <= 24.0 * 100e3 * (1.0 + 1e-9)
    assert made.battery.soc_pct == pytest.approx(95.0)
    assert made.totals.balance_error() < 1e-9


def test_the_battery_follows_its_own_rule_until_a_rate_is_written() -> None:
    made = plant()
    made.step(300.0)
    assert made.battery.power_w > 0  # the load is larger than sun and wind
    write(made, "battery-1", "storage_mode_state", 2.0)
    write(made, "battery-1", "discharge_rate_pct", -50.0)
    made.step(300.0)
    assert value(made, "battery-1", "active_power_w") == pytest.approx(-200e3)
    assert value(made, "battery-1", "operating_state") == 3.0  # connected
    write(made, "battery-1", "storage_mode_state", 0.0)
    made.step(300.0)
    assert made.battery.power_w > 0


def test_the_battery_loses_energy_each_way() -> None:
    made = plant()
    write(made, "battery-1", "storage_mode_state", 2.0)
    write(made, "battery-1", "discharge_rate_pct", -10.0)
    made.step(3600.0)
    assert made.totals.battery_stored == pytest.approx(0.95 * made.totals.battery_charge)
    assert made.totals.battery_losses == pytest.approx(0.05 * made.totals.battery_charge)


def test_a_flexible_load_makes_its_daily_quantity_and_obeys_a_limit() -> None:
    free, limited = plant(), plant()
    write(limited, "desalination-1", "limit_w", 0.0)
    for made in (free, limited):
        made.step(12 * 3600.0)
    assert limited.totals.desalination == 0.0
    write(limited, "desalination-1", "limit_w", 60e3)
    for made in (free, limited):
        made.step(12 * 3600.0)
    assert free.totals.desalination == pytest.approx(600e3, rel=1e-3)
    assert limited.totals.desalination == pytest.approx(600e3, rel=1e-3)


def test_meters_agree_with_what_they_measure() -> None:
    made = plant()
    made.step(40_000.0)
    pdus = sum(value(made, one.name, "active_power_w") for one in made.site.devices if one.kind is Kind.PDU)
    assert pdus == pytest.approx(value(made, "meter-it", "active_power_w"))
    sources = sum(
        value(made, f"meter-{name}", "active_power_w") for name in ("grid", "pv", "wind", "battery")
    )
    sinks = sum(
        value(made, f"meter-{name}", "active_power_w")
        for name in ("transformer", "desalination", "electrolyser")
    )
    assert sources == pytest.approx(sinks)
    inverters = sum(value(made, f"inverter-{i}", "energy_wh") for i in (1, 2))
    assert inverters == pytest.approx(value(made, "meter-pv", "active_energy_import_wh"))
    grid = made.values(device(made, "meter-grid"))
    assert grid["active_energy_import_wh"] == made.totals.grid_import
    assert grid["active_energy_export_wh"] == made.totals.grid_export


def test_pue_is_that_of_the_coast() -> None:
    made = plant()
    made.step(2 * 86_400.0)
    assert 1.04 < made.totals.facility / made.totals.it < 1.12


def test_racks_follow_the_jobs_on_them() -> None:
    made = plant()
    made.step(6 * 3600.0)
    for job_id in sorted(made.cluster.running):
        made.cluster.suspend(job_id)
    busy = float(made.racks.power_w.sum())
    for _, job_id in list(made.cluster.queue):
        made.cluster.hold(job_id) if job_id not in suspended(made) else None
    made.step(1.0)
    assert float(made.racks.power_w.sum()) < 0.8 * busy
    assert made.racks.flexible_w == 0.0


def suspended(made: Plant) -> set[str]:
    return {r.job.job_id for r in made.cluster.list() if r.state == "suspended"}


def test_both_plants_have_done_the_same_work_after_draining() -> None:
    real, shadow = plant(), plant()
    for record in real.cluster.list():
        real.cluster.hold(record.job.job_id)
    for made in (real, shadow):
        made.step(3600.0)
    for record in real.cluster.list():
        if record.state == "running" and record.job.gpus > 1:
            real.cluster.suspend(record.job.job_id)
    drain(real, shadow)
    assert real.now == shadow.now
    assert real.cluster.idle
    assert shadow.cluster.idle
    assert real.totals.work_gpu_s == pytest.approx(shadow.totals.work_gpu_s, rel=1e-9)
    assert real.totals.balance_error() < 1e-9


def test_what_can_not_be_written_is_refused() -> None:
    made = plant()
    with pytest.raises(CommandError, match="can't be written"):
        write(made, "meter-grid", "active_power_w", 1.0)
    with pytest.raises(CommandError, match="can't be written"):
        write(made, "inverter-1", "energy_wh", 1.0)
    with pytest.raises(CommandError, match="not a number"):
        write(made, "inverter-1", "limit_pct", float("nan"))


def test_jobs_of_the_first_instant_arrive_and_run_to_their_exact_end() -> None:
    jobs = [Job(f"j{i}", "ada", 4, START + timedelta(minutes=i), 500.0 + i) for i in range(3)]
    made = Plant(lab(), START, 1, breeze(), jobs)
    made.step(0.5)
    assert made.cluster.seen == 1
    made.step(3600.0)
    assert made.cluster.get("j2").finished == START + timedelta(minutes=2, seconds=502)
    assert made.totals.work_gpu_s == 4 * (500.0 + 501.0 + 502.0)
    per_gpu_wh = float(made.racks.per_gpu_w[0]) / 3600.0
    assert made.totals.flexible == pytest.approx(made.totals.work_gpu_s * per_gpu_wh, rel=1e-6)


def test_racks_that_hang_on_no_transformer_are_still_carried() -> None:
    made = Plant(replace(lab(), feeds=()), START, 1, breeze())
    made.step(600.0)
    assert made.totals.balance_error() < 1e-9


def test_steps_end_exactly_where_they_should() -> None:
    made = plant()
    for _ in range(100):
        made.step(7.3)
    assert abs(made.now - START - timedelta(seconds=730)) < timedelta(milliseconds=1)
