"""Runs policies over periods, in processes of their own, and goes on where an interrupted run stopped."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from igoudar.core.errors import ConfigError
from igoudar.lab.entrants import NAMES, enter
from igoudar.lab.periods import Period, build_periods
from igoudar.lab.resources import load_periods
from igoudar.lab.scenario import Scenario
from igoudar.lab.summary import Tariff, summarise
from igoudar.lab.tables import jobs_table, schedule_table, site_table
from igoudar.lab.traces import load_trace

TABLES = ("schedule", "site", "jobs")
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One policy on one period."""

    policy: str
    period: int
    folder: Path

    @property
    def done(self) -> Path:
        """Written last: its presence says that the tables beside it are whole."""
        return self.folder / "timing.json"


@lru_cache(maxsize=1)
def periods_of(document: str) -> list[Period]:
    """The periods of a scenario, given as JSON so that a worker keeps them between tasks."""
    scenario = Scenario.model_validate_json(document)
    trace = load_trace(Path(scenario.jobs), scenario.job_scale, scenario.pai_slack_h)
    return build_periods(scenario, load_periods(Path(scenario.resource), scenario.days), trace)


def backtest(
    scenario: Scenario, out: Path, *, workers: int = 2, progress: Progress | None = None
) -> dict[str, Any]:
    """Run every policy of a settled scenario; the summary that `summary.json` holds.

    Raises:
        ConfigError: an unknown policy, a bad input, or a folder that holds another run.
    """
    _check_names(scenario.policies)
    document = scenario.model_dump_json()
    periods = periods_of(document)
    settings = _open(out, scenario, periods)
    tasks = [
        Task(p, i, out / p / "periods" / str(i))
        for p in _ordered(scenario.policies)
        for i in range(len(periods))
    ]
    began = time.monotonic()
    _play_all([task for task in tasks if not task.done.exists()], document, workers, progress, len(tasks))
    policies = {name: _gather(out / name, len(periods), settings) for name in scenario.policies}
    summary = {"policies": policies}
    _write(out / "summary.json", summary)
    _write(out / "settings.json", {**settings, "wall_s": time.monotonic() - began})
    return summary


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name not in NAMES:
            raise ConfigError(f"no policy {name}", where="--policy", fix=f"choose from {', '.join(NAMES)}")


def _ordered(names: Sequence[str]) -> list[str]:
    """The oracle first: `reachable` follows its plan."""
    return sorted(names, key=lambda name: name != "oracle")


def _open(out: Path, scenario: Scenario, periods: Sequence[Period]) -> dict[str, Any]:
    """Make the folder, or see that it holds the same run."""
    settings = {
        "scenario": scenario.model_dump(mode="json"),
        "periods": [{"weight": p.weight, "steps": p.steps, "start": p.start.isoformat()} for p in periods],
        "run": _mark(scenario),
    }
    file = out / "settings.json"
    if file.exists():
        held = json.loads(file.read_text()).get("run")
        if held != settings["run"]:
            fix = "give another --out, or remove this one"
            raise ConfigError("the folder holds a run with other settings", where=str(out), fix=fix)
    else:
        out.mkdir(parents=True, exist_ok=True)
        _write(file, settings)
    return settings


def _mark(scenario: Scenario) -> str:
    """What must be equal for results to belong together; more policies may join a run."""
    shared = scenario.model_dump(mode="json", exclude={"policies"})
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()


def _play_all(
    tasks: Sequence[Task], document: str, workers: int, progress: Progress | None, total: int
) -> None:
    done = total - len(tasks)
    for task in _played(tasks, document, workers):
        done += 1
        if progress is not None:
            progress(done, total, task.policy)


def _played(tasks: Sequence[Task], document: str, workers: int) -> Iterator[Task]:
    if workers <= 1 or len(tasks) <= 1:
        for task in tasks:
            play_task(task, document)
            yield task
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(play_task, task, document): task for task in tasks}
        for future in as_completed(futures):
            future.result()
            yield futures[future]


def play_task(task: Task, document: str) -> None:
    """Play one period with one policy and keep its tables; runs in a worker process."""
    scenario, periods = Scenario.model_validate_json(document), periods_of(document)
    period, began = periods[task.period], time.monotonic()
    played = enter(task.policy, scenario, periods, task.period)
    task.folder.mkdir(parents=True, exist_ok=True)
    site_table(period, played.site).write_parquet(task.folder / "site.parquet")
    if played.fleet is not None:
        schedule_table(period, played).write_parquet(task.folder / "schedule.parquet")
        jobs_table(period, played).write_parquet(task.folder / "jobs.parquet")
    _write(task.done, {"solve_s": played.solve_s, "wall_s": time.monotonic() - began})


def _gather(folder: Path, count: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the periods end to end and sum them up."""
    parts = [folder / "periods" / str(index) for index in range(count)]
    tables: dict[str, pl.DataFrame] = {}
    for name in TABLES:
        if all((part / f"{name}.parquet").exists() for part in parts):
            tables[name] = pl.concat([pl.read_parquet(part / f"{name}.parquet") for part in parts])
            tables[name].write_parquet(folder / f"{name}.parquet")
    timings = [json.loads((part / "timing.json").read_text()) for part in parts]
    solved = np.array([s for timing in timings for s in timing["solve_s"]])
    return {
        **summarise(tables["site"], tables.get("jobs"), Tariff.of(settings)),
        "solve_p50_s": float(np.quantile(solved, 0.5)) if len(solved) else 0.0,
        "solve_p99_s": float(np.quantile(solved, 0.99)) if len(solved) else 0.0,
        "wall_s": sum(timing["wall_s"] for timing in timings),
    }


def _write(path: Path, document: Any) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, indent=1))
    part.replace(path)
