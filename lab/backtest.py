"""Runs policies over periods, in processes of their own, and goes on where an interrupted run stopped."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from igoudar.core.errors import ConfigError
from igoudar.lab.compare import comparison
from igoudar.lab.entrants import NAMES, enter
from igoudar.lab.inputs import load_inputs
from igoudar.lab.periods import Period
from igoudar.lab.scenario import Scenario
from igoudar.lab.settings import rejected_lines, settings_of
from igoudar.lab.slack import slacks
from igoudar.lab.summary import Tariff, summarise
from igoudar.lab.tables import jobs_table, schedule_table, site_table
from igoudar.lab.workers import spread

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
    return load_inputs(scenario).periods(scenario)


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
    _write(out / "rejected.json", rejected_lines(scenario))
    policies = {name: _gather(out / name, len(periods), settings) for name in scenario.policies}
    for name, told in comparison(out, policies).items():
        policies[name] |= told
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
    settings = settings_of(scenario, periods)
    file = out / "settings.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        held = json.loads(file.read_text()).get("run") if file.exists() else settings["run"]
    except (OSError, ValueError) as error:
        fix = "give another --out, or remove this one"
        raise ConfigError(f"no folder for a run ({error})", where=str(out), fix=fix) from error
    if held != settings["run"]:
        fix = "give another --out, or remove this one"
        raise ConfigError("the folder holds a run with other settings or data", where=str(out), fix=fix)
    if not file.exists():
        _write(file, settings)
    return settings


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
    yield from spread(play_task, tasks, document, workers)


def play_task(task: Task, document: str) -> None:
    """Play one period with one policy and keep its tables; runs in a worker process."""
    scenario, periods = Scenario.model_validate_json(document), periods_of(document)
    period, began = periods[task.period], time.monotonic()
    played = enter(task.policy, scenario, periods, task.period)
    task.folder.mkdir(parents=True, exist_ok=True)
    site_table(period, played.site).write_parquet(task.folder / "site.parquet")
    if played.fleet is not None:
        schedule_table(period, played).write_parquet(task.folder / "schedule.parquet")
        jobs_table(period, played.fleet).write_parquet(task.folder / "jobs.parquet")
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
        "slacks": slacks(tables["site"], tables.get("jobs"), settings),
        "solve_p50_s": float(np.quantile(solved, 0.5)) if len(solved) else 0.0,
        "solve_p99_s": float(np.quantile(solved, 0.99)) if len(solved) else 0.0,
        "wall_s": sum(timing["wall_s"] for timing in timings),
    }


def _write(path: Path, document: Any) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, indent=1))
    part.replace(path)
