"""All policies on the reference scenario; writes results/planner.json and docs/planner.md's measured part.

It reads the measured series and traces in ../shared/data and goes on where an interrupted run stopped.
"""

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.planning.page import write_page
from igoudar.core.errors import ConfigError
from igoudar.lab.backtest import backtest
from igoudar.lab.compare import KEYS
from igoudar.lab.entrants import NAMES
from igoudar.lab.options import assembled
from igoudar.lab.progress import progress_bar
from igoudar.lab.report import write_report
from igoudar.lab.scenario import Scenario, changed
from igoudar.lab.summary import Tariff, by_period

HERE = Path(__file__).parent
REFERENCE = HERE / "reference.toml"
DATA = HERE.parents[1] / "shared" / "data"
RESULTS = HERE / "results" / "planner.json"
RUNS = HERE.parent / "test-artifacts" / "planner"
BATTERY = {"battery_mwh": 80.0, "battery_mw": 20.0}
NO_PEAK = {"peak_price_per_mw_week": 0.0}
WINDY = {"pv_mw": 40.0, "wind_mw": 60.0}
OTHER_WEEK = {"first_week": 1}  # the jobs that the reference gives to the neighbours of each week
PAI_SCALE = 57  # as much work per week as Philly with 6
OTHERS = (
    *(("oracle", "to_bound"), ("reachable", "to_reachable")),
    *(("best-known", "to_best_known"), ("greedy", "to_greedy")),
)
YEAR_POLICIES = ("run-now", "rolling")
CORES = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One run: what differs from the reference scenario, and which bars count."""

    name: str
    given: Mapping[str, Any] = field(default_factory=dict)
    trace: str = "chronus_trace_job_Philly_SLO.csv"

    @property
    def kind(self) -> str:
        """Which bars count."""
        if "first_week" in self.given:
            return "held out"
        if "battery_mwh" in self.given:
            return "battery and peak"
        return "neither" if "peak_price_per_mw_week" in self.given else "peak"


MIX1, PAI = "chronus_trace_job_Philly_MIX1.csv", "gaia_pai-100k.csv"
CASES = (
    Case("SLO 60/40, battery and peak price", BATTERY),
    Case("SLO 60/40, neither", NO_PEAK),
    Case("SLO 60/40, peak price (as the reference file stands)"),
    Case("SLO 40/60, battery and peak price", {**BATTERY, **WINDY}),
    Case("SLO 40/60, neither", {**NO_PEAK, **WINDY}),
    Case("MIX1 60/40, battery and peak price", BATTERY, MIX1),
    Case("MIX1 60/40, neither", NO_PEAK, MIX1),
    Case("PAI 60/40, battery and peak price", {**BATTERY, "job_scale": PAI_SCALE}, PAI),
    Case("PAI 60/40, neither", {**NO_PEAK, "job_scale": PAI_SCALE}, PAI),
    Case("SLO 60/40, battery and peak price, held out", {**BATTERY, **OTHER_WEEK}),
    Case("MIX1 60/40, battery and peak price, held out", {**BATTERY, **OTHER_WEEK}, MIX1),
)


def scenario_of(case: Case) -> Scenario:
    """The reference scenario with what the case changes."""
    paths = {"resource": str(DATA / "dakhla_ptxboa"), "jobs": str(DATA / "gpu_jobs" / case.trace)}
    return assembled(REFERENCE, {**paths, **case.given})


def measure(case: Case, policies: Sequence[str], folder: Path) -> dict[str, Any]:
    """Play the policies one after the other, so that each has both cores to itself."""
    setting, elapsed = scenario_of(case), {}
    for name in policies:
        before = time.monotonic()
        _play(case.name, changed(setting, {"policies": (name,)}), folder)
        elapsed[name] = _kept_elapsed(folder, name, time.monotonic() - before)
    found = _play(case.name, changed(setting, {"policies": tuple(policies)}), folder)["policies"]
    write_report(folder, "en")
    weeks = {name: _weekly_costs(folder, name) for name in policies}
    rows = {name: {**row, **_added(folder, name, row, elapsed[name])} for name, row in found.items()}
    compared = {name: {**row, **_against(name, rows, weeks)} for name, row in rows.items()}
    return {"case": case.name, "kind": case.kind, "policies": compared, "weekly_cost": weeks}


def _play(title: str, setting: Scenario, folder: Path) -> dict[str, Any]:
    with progress_bar(title) as told:
        return backtest(setting, folder, workers=CORES, progress=told)


def _added(folder: Path, name: str, row: Mapping[str, Any], elapsed_s: float) -> dict[str, Any]:
    stops = row["preemptions"] / row["jobs"] if row["jobs"] else 0.0
    return {"stops_per_job": stops, **_work(folder, name), "elapsed_s": elapsed_s}


def _kept_elapsed(folder: Path, name: str, seconds: float) -> float:
    """The wall time of the run that did the work, also when this one only read it."""
    file = folder / name / "elapsed.json"
    kept = json.loads(file.read_text()) if file.exists() else 0.0
    file.write_text(json.dumps(max(kept, seconds)))
    return float(max(kept, seconds))


def _with_kept(policies: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The asked ones and those that an earlier run of this folder played to the end."""
    kept = {file.parent.name for file in folder.glob("*/elapsed.json")}
    return tuple(name for name in NAMES if name in policies or name in kept)


def _weekly_costs(folder: Path, name: str) -> list[float]:
    tariff = Tariff.of(json.loads((folder / "settings.json").read_text()))
    return by_period(pl.read_parquet(folder / name / "site.parquet"), tariff)["cost"].to_list()


def _work(folder: Path, name: str) -> dict[str, float | None]:
    """Finished work of the jobs that count [GPU h], and that of run-now's which this policy leaves undone."""
    base, done = _finished(folder, "run-now"), _finished(folder, name)
    undone = None if base is None or done is None else _gpu_h(base.join(done, on=KEYS, how="anti"))
    return {"work_gpu_h": None if done is None else _gpu_h(done), "undone_gpu_h": undone}


def _finished(folder: Path, name: str) -> pl.DataFrame | None:
    file = folder / name / "jobs.parquet"
    if not file.exists():
        return None
    return pl.read_parquet(file).filter((pl.col("rejected_reason") == "") & pl.col("finished").is_not_null())


def _gpu_h(jobs: pl.DataFrame) -> float:
    return float((jobs["gpus"] * jobs["duration_s"]).sum()) / 3600.0


def _against(
    name: str, rows: Mapping[str, Mapping[str, Any]], weeks: Mapping[str, list[float]]
) -> dict[str, float | int | None]:
    """Ratios to the bound, to what gangs reach with everything known, and to greedy."""
    mine, found = rows[name]["cost"], {}
    for other, key in OTHERS:
        theirs = rows[other]["cost"] if other in rows else 0.0
        found[key] = mine / theirs if theirs > 0 else None
    found["gain_share"] = _gain_share(name, rows, "reachable")
    found["best_known_share"] = _gain_share(name, rows, "best-known")
    if "greedy" in weeks:
        pairs = list(zip(weeks[name], weeks["greedy"], strict=True))
        found["weeks_ahead_of_greedy"] = sum(a <= b + 1e-6 for a, b in pairs)
        found["worst_week_to_greedy"] = (
            max(a / b for a, b in pairs if b > 0) if any(b for _, b in pairs) else None
        )
    return found


def _gain_share(name: str, rows: Mapping[str, Mapping[str, Any]], other: str) -> float | None:
    """Of the renewable share that the other gains over run-now."""
    if not {"run-now", other} <= rows.keys():
        return None
    base = rows["run-now"]["renewable_share"]
    gain = rows[other]["renewable_share"] - base
    return (rows[name]["renewable_share"] - base) / gain if gain else None


def year(folder: Path) -> dict[str, Any]:
    """A synthetic year, every week as often as its weight says, on one core."""
    policies = tuple(name for name in YEAR_POLICIES if name in NAMES)
    setting = changed(scenario_of(CASES[0]), {"resource": str(_year_file(folder)), "days": 365})
    with progress_bar("year") as told:
        rows = backtest(changed(setting, {"policies": policies}), folder / "run", workers=1, progress=told)
    weeks_s = sum(row["wall_s"] for row in rows["policies"].values())  # also of weeks played before a break
    return {"policies": list(policies), "elapsed_s": weeks_s}


def _year_file(folder: Path) -> Path:
    source = DATA / "dakhla_ptxboa" / "MAR-DAK_RES-HYBR_aggregated.csv"
    weights = pl.read_csv(source.with_name(source.stem + ".weights.csv"))
    often = weights.group_by("period_id", maintain_order=True).agg(pl.col("weight").first().ceil().cast(int))
    rows = pl.read_csv(source)
    weeks = [
        rows.filter(pl.col("period_id") == number) for number, count in often.rows() for _ in range(count)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "year.csv"
    pl.concat(weeks).select("PV-FIX", "WIND-ON").write_csv(file)
    return file


def main() -> None:
    """Run all cases and write the figures and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default="", help="numbers from 1, with commas; all when empty")
    parser.add_argument("--policies", default=",".join(NAMES))
    parser.add_argument("--no-year", action="store_true", help="leave the synthetic year out")
    parser.add_argument("--runs", type=Path, default=RUNS, help="where tables are kept between runs")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise ConfigError("no measured data", where=str(DATA), fix="put the series and traces there")
    policies = tuple(name for name in NAMES if name in options.policies.split(","))
    chosen = [int(number) for number in options.cases.split(",") if number] or range(1, len(CASES) + 1)
    figures = {"machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}", "cases": []}
    for number in chosen:
        folder = options.runs / f"case-{number}"
        figures["cases"].append(measure(CASES[number - 1], _with_kept(policies, folder), folder))
        _keep(figures)
    if not options.no_year:
        figures["year"] = year(options.runs / "year")
    _keep(figures)


def _keep(figures: dict[str, Any]) -> None:
    figures["load_average"] = os.getloadavg()[0]
    memory_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    figures["worker_memory_mib"] = memory_kib / 1024 or None  # none where all was kept from earlier runs
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    write_page(figures)


if __name__ == "__main__":
    main()
