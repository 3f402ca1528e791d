"""Conservation laws of the engine, whatever a policy orders."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igoudar.control.planning.baselines import Greedy, RunNow
from igoudar.control.planning.policy import STEP_S, Limits, Orders
from igoudar.control.planning.table import Fleet, JobTable, Phase
from igoudar.control.planning.urgency import locked
from igoudar.core.errors import CommandError
from igoudar.lab.engine import drive_w, play
from igoudar.lab.entrants import SIMPLE
from igoudar.lab.periods import Period
from igoudar.lab.power import HOURS

STEPS = 96
LIMITS = Limits(
    gpus=100,
    gpu_w=2e3,
    it_cap_w=200e3,
    import_limit_w=500e3,
    export_limit_w=100e3,
    battery_wh=100e3,
    battery_w=40e3,
    soc_max_wh=100e3,
    desalination_w=1e3,
    desalination_daily_wh=24e3,
)

jobs_of_a_day = st.lists(
    st.tuples(
        st.integers(1, 60),  # GPUs
        st.integers(0, 60 * 60),  # submitted [s / 10]
        st.integers(1, 600),  # duration [min]
        st.integers(0, 900),  # slack [min]
    ),
    min_size=1,
    max_size=25,
)
seeds = st.integers(0, 2**32 - 1)
slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def period_of(rows, seed=1, urgent_w=60e3):
    rows = sorted(rows, key=lambda row: row[1])
    gpus, submitted, duration, slack = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    count, noise = len(rows), np.random.default_rng(seed)
    submitted_s, duration_s = submitted * 10, duration * 60
    jobs = JobTable(
        job_id=tuple(str(number) for number in range(count)),
        gpus=gpus.astype(np.int64),
        submitted_s=submitted_s,
        duration_s=duration_s,
        expected_s=duration_s,
        longest_s=duration_s,
        deadline_s=np.minimum(submitted_s + duration_s + slack * 60 + STEP_S, STEPS * STEP_S),
        preemptible=np.ones(count, bool),
        checkpoint_s=np.full(count, 600.0),
        min_run_s=np.full(count, 3600.0),
    )
    supply = noise.uniform(0, 150e3, (2, STEPS))
    flat = np.ones(STEPS)
    start = datetime(2025, 1, 6, tzinfo=UTC)
    return Period(0, start, 1.0, *supply, urgent_w * flat, 1.08 * flat, jobs, pl.DataFrame())


class Fickle:
    """Starts and stops at random, inside the rules; orders the battery at random."""

    name = "fickle"

    def __init__(self, seed):
        self.chance = np.random.default_rng(seed)

    def decide(self, view):
        kept = locked(view, view.active)
        wish = kept | (self.chance.random(len(view.active)) < 0.6)
        rank = np.lexsort((view.active, ~kept))
        rows, wished = view.active[rank], wish[rank]
        gpus = np.where(wished, view.jobs.gpus[rows], 0)
        run = rows[wished & (np.cumsum(gpus) <= view.gpus_by_power)]
        return Orders(run, battery_w=self.chance.uniform(-80e3, 80e3))


def check_site(period, played):
    site = played.site
    supplied = site["pv_w"] + site["wind_w"] - site["curtailed_w"] + site["import_w"] + site["battery_w"]
    used = sum(
        site[name]
        for name in ("urgent_w", "flexible_w", "cooling_w", "desalination_w", "electrolyser_w", "export_w")
    )
    assert supplied == pytest.approx(used, abs=1e-3)
    assert (np.minimum(site["import_w"], site["export_w"]) == 0).all()
    assert ((site["soc_wh"] >= 0) & (site["soc_wh"] <= LIMITS.battery_wh + 1e-6)).all()
    assert (np.abs(site["battery_w"]) <= LIMITS.battery_w).all()
    assert (site["urgent_w"] + site["flexible_w"] <= LIMITS.it_cap_w + 1e-6).all()
    assert (site["export_w"] <= LIMITS.export_limit_w).all()
    charge = np.diff(np.concatenate([[LIMITS.battery_wh / 2], site["soc_wh"]]))
    battery = site["battery_w"]
    moved = np.where(battery > 0, battery / LIMITS.efficiency, battery * LIMITS.efficiency) * HOURS
    assert charge == pytest.approx(-moved, abs=1e-3)
    assert site["desalination_w"].sum() * HOURS == pytest.approx(LIMITS.desalination_daily_wh)


def check_jobs(period, played):
    jobs, fleet = period.jobs, played.fleet
    step = np.concatenate(played.schedule_step)
    row = np.concatenate(played.schedule_row)
    power = np.concatenate(played.schedule_power_w)
    assert (step * STEP_S >= jobs.submitted_s[row]).all()
    assert (power <= jobs.gpus[row] * LIMITS.gpu_w + 1e-9).all()
    assert np.bincount(step, power, STEPS) == pytest.approx(played.site["flexible_w"], abs=1e-6)
    assert len(np.unique(step * len(jobs) + row)) == len(step)
    energy = np.bincount(row, power, len(jobs)) * HOURS
    done = fleet.phase == Phase.DONE
    whole = jobs.gpus * LIMITS.gpu_w * (jobs.duration_s + lost_s(period, played)) / 3600
    assert energy[done] == pytest.approx(whole[done])
    assert (fleet.finished_s[done] >= jobs.submitted_s[done] + jobs.duration_s[done]).all()


def lost_s(period, played):
    """Work lost by stops, from the schedule alone: 10 min each, or all that was done if that is less."""
    lost = np.zeros(len(period.jobs))
    ran = [set(rows.tolist()) for rows in played.schedule_row]
    for row, duration in enumerate(period.jobs.duration_s):
        done = 0.0
        for now, before in zip(ran, [set(), *ran], strict=False):
            if row in before and row not in now and done < duration:
                lost[row] += min(600.0, done)
                done -= min(600.0, done)
            done += min(STEP_S, duration - done) if row in now else 0.0
    return lost


@slow
@given(jobs_of_a_day, seeds)
def test_energy_and_work_are_conserved_whatever_is_ordered(rows, seed):
    period = period_of(rows, seed)
    played = play(period, LIMITS, Fickle(seed))
    check_site(period, played)
    check_jobs(period, played)


@pytest.mark.parametrize("name", SIMPLE)
@settings(max_examples=5, deadline=None)
@given(rows=jobs_of_a_day, seed=seeds)
def test_energy_and_work_are_conserved_by_every_simple_policy(name, rows, seed):
    period = period_of(rows, seed)
    played = play(period, LIMITS, SIMPLE[name]())
    check_site(period, played)
    check_jobs(period, played)


@slow
@given(jobs_of_a_day, seeds)
def test_nobody_runs_less_than_the_minimum(rows, seed):
    period = period_of(rows, seed)
    played = play(period, LIMITS, Fickle(seed))
    ran = np.zeros((len(period.jobs), STEPS + 1), bool)
    for step, running in enumerate(played.schedule_row):
        ran[running, step] = True
    for row, steps in enumerate(ran):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], steps]).astype(int)))
        blocks = list(zip(edges[::2], edges[1::2], strict=False))
        short = [end - begin < 4 for begin, end in blocks if end < STEPS]
        assert sum(short) <= 1  # only the last block, that ends with the job
        assert len(blocks) - 1 <= played.fleet.stops[row] <= len(blocks)


def test_ends_fall_to_the_minute():
    period = period_of([(10, 0, 37, 0)])
    played = play(period, LIMITS, RunNow())
    assert played.fleet.finished_s[0] == 37 * 60
    assert np.concatenate(played.schedule_power_w) == pytest.approx([20e3, 20e3, 20e3 * 7 / 15])


class Scripted:
    name = "wrong"

    def __init__(self, *runs):
        self.runs = list(runs)

    def decide(self, view):
        return Orders(np.array(self.runs.pop(0) if self.runs else [], dtype=np.int64))


@pytest.mark.parametrize(
    ("runs", "what"),
    [
        ([[0, 0]], "ordered twice"),
        ([[1]], "does not wait or run"),
        ([[0], []], "stopped that may not be"),
        ([[0, 2]], "GPUs are ordered, 70 may run"),
    ],
)
def test_orders_that_no_scheduler_could_carry_out_are_refused(runs, what):
    period = period_of([(40, 0, 200, 0), (40, 3000, 100, 0), (60, 0, 100, 0)])
    with pytest.raises(CommandError, match=what):
        play(period, LIMITS, Scripted(*[[{0: 0, 1: 2, 2: 1}[r] for r in run] for run in runs]))


@pytest.mark.parametrize("policy", [RunNow, Greedy])
def test_urgent_load_over_the_cap_leaves_jobs_undone_and_ends(policy):
    period = period_of([(10, 0, 60, 0)], urgent_w=250e3)
    played = play(period, LIMITS, policy())
    assert np.isnan(played.fleet.finished_s).all()
    assert (played.site["flexible_w"] == 0).all()
    assert played.site["import_w"].max() > 0


@pytest.mark.parametrize("name", SIMPLE)
def test_a_cap_that_falls_under_what_runs_stops_the_latest(name):
    period = period_of([(40, 0, 300, 0), (30, 0, 300, 0)])
    period.urgent_w[2:] = 120e3  # 40 GPUs are left, inside the minimum run
    played = play(period, LIMITS, SIMPLE[name]())
    assert (played.site["urgent_w"] + played.site["flexible_w"] <= LIMITS.it_cap_w).all()


@given(st.floats(0, 2e6), st.floats(0, 24e6), st.integers(1, 96), st.none() | st.floats(-1e6, 3e6))
def test_a_load_with_a_daily_quantity_is_never_too_late(rated_w, owed_wh, left, ordered_w):
    left_h = left / 4
    power = drive_w(rated_w, owed_wh, left_h, ordered_w)
    assert 0 <= power <= rated_w
    after = owed_wh - power * HOURS
    possible = min(owed_wh, rated_w * left_h)
    assert owed_wh - after + rated_w * (left_h - HOURS) >= possible - 1e-3
    assert after >= -1e-3


def test_fresh_fleet_is_all_ahead():
    assert (Fleet.fresh(3).phase == Phase.AHEAD).all()
