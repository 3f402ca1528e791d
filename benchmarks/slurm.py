"""From decision to Slurm's acknowledgement; `python -m benchmarks.slurm` writes results/slurm.json.

A real Slurm of 64 emulated nodes on loopback, full of jobs, with 300 more that wait. Commands go through the
adapter that control uses: a listing when the last is older than a second, the rules, one program. First one
after another, then all 300 at once: to one begin time, as an event does it, and each to its own, as a plan
does, with as many programs at a time as `at_once` says.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.peers.slurm import Cluster, cluster

from igoudar.collectors.profiles import load_profiles
from igoudar.control.actuation.schedulers.slurm import program
from igoudar.control.actuation.schedulers.slurm.scheduler import SlurmScheduler
from igoudar.core.clock import SiteClock, wall_clock
from igoudar.core.model import Site
from igoudar.core.model_scheduler import Scheduling
from igoudar.core.site import load_site

RESULTS = Path(__file__).parent / "results" / "slurm.json"
NODES, WAITING = 64, 300
EVERY_S = 30  # Slurm's own choice for its backfill
AT_ONCE = (1, 4)
BARS = {"command_p99_s": 1.0, "jobs_300_s": 4.0}

Ask = Callable[[str], Awaitable[object]]


def fill(running: Cluster) -> tuple[list[str], list[str]]:
    """Jobs that take every GPU, and 300 that wait for one."""
    options = ("--partition=flex", "--time=60", "--licenses=watts:700")
    full = [running.submit(*options, gpus=8) for _ in running.names]
    for job in full:
        running.wait_state(job, "RUNNING", within_s=60)
    return full, [running.submit(*options) for _ in range(WAITING)]


async def one_by_one(ask: Ask, jobs: Sequence[str]) -> dict[str, float]:
    """The time of each command [s]."""
    waits_s = []
    for job in jobs:
        began = time.perf_counter()
        await ask(job)
        waits_s.append(time.perf_counter() - began)
    cuts = statistics.quantiles(waits_s, n=100)
    return {"count": len(waits_s), "p50_s": cuts[49], "p99_s": cuts[98], "max_s": max(waits_s)}


async def together(ask: Ask, jobs: Sequence[str]) -> float:
    """All commands at once [s]."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_ask(ask, job))
    return time.perf_counter() - began


async def _ask(ask: Ask, job: str) -> None:
    await ask(job)


async def commands(scheduler: SlurmScheduler, clock: SiteClock, full: list[str], waiting: list[str]) -> Any:
    """Every verb by itself."""
    later = clock.now() + timedelta(hours=1)
    asks: dict[str, tuple[Ask, Sequence[str]]] = {
        "delay": (lambda job: scheduler.delay(job, later), waiting),
        "release": (scheduler.release, waiting),
        "suspend": (scheduler.suspend, full),
        "resume": (scheduler.resume, full),
        "budget": (_budget(scheduler, clock), waiting[:100]),
        "queue": (lambda _: scheduler.queue(), waiting[:100]),
    }
    return {verb: await one_by_one(ask, jobs) for verb, (ask, jobs) in asks.items()}


def _budget(scheduler: SlurmScheduler, clock: SiteClock) -> Ask:
    watts = iter(range(100_000, 0, -10))
    return lambda _: scheduler.set_budget(next(watts), clock.now() + timedelta(hours=1))


async def measure(running: Cluster) -> dict[str, Any]:
    """All figures."""
    rules = Scheduling(
        "slurm", str(running.conf), flexible_partitions=frozenset({"flex"}), watts_licence="watts"
    )
    site, clock = replace(load_site("jazari-lab", load_profiles()), scheduler=rules), wall_clock()
    full, waiting = fill(running)
    scheduler = SlurmScheduler(site, clock)
    await scheduler.start()
    figures: dict[str, Any] = {"one_by_one": await commands(scheduler, clock, full, waiting)}
    await scheduler.clear_budget()
    figures["jobs_300"] = {
        f"at_once_{at_once}": await _all(_with(site, clock, at_once), clock, waiting) for at_once in AT_ONCE
    }
    return figures


def _with(site: Site, clock: SiteClock, at_once: int) -> SlurmScheduler:
    program.AT_ONCE = at_once
    return SlurmScheduler(site, clock)


async def _all(scheduler: SlurmScheduler, clock: SiteClock, waiting: list[str]) -> dict[str, float]:
    """Every waiting job at once [s]; what was acknowledged is looked up."""
    later = clock.now() + timedelta(hours=2)
    own = {job: later + timedelta(minutes=number) for number, job in enumerate(waiting)}
    spent = {"same_time_s": await together(lambda job: scheduler.delay(job, later), waiting)}
    spent["own_times_s"] = await together(lambda job: scheduler.delay(job, own[job]), waiting)
    begins = {job.job_id: job.begin_at for job in (await scheduler.queue()).jobs}
    if any((at := begins[job]) is None or at < own[job] for job in waiting):
        raise SystemExit("a delay was acknowledged and not done")
    return spent | {"release_s": await together(scheduler.release, waiting)}


def main() -> None:
    """Run and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with cluster(options.nodes, EVERY_S) as running:
        figures = asyncio.run(measure(running))
        version = running.run("scontrol", "--version").strip()
    head = {
        "server": version,
        "nodes": options.nodes,
        "machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}",
        "load_average": os.getloadavg()[0],
        "bars": BARS,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(head | figures, indent=1) + "\n")
    print(json.dumps(head | figures, indent=1))  # noqa: T201 - a benchmark speaks to a person


if __name__ == "__main__":
    main()
