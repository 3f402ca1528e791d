"""`settings.json`: every option, the site, the versions and the data of a run; what may join it."""

import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from igoudar.lab.inputs import digests
from igoudar.lab.periods import Period
from igoudar.lab.scenario import Scenario
from igoudar.lab.traces import load_trace

# Settings that came later: left as they were, a run goes on that began before them.
LATER = ("limit", "reserve_mw", "reserve_share", "caps", "cap_least_pct", "cooling", "first_week")
PACKAGES = ("igoudar", "numpy", "polars", "highspy")


def settings_of(scenario: Scenario, periods: Sequence[Period]) -> dict[str, Any]:
    """What a run is, before it is played."""
    data = dict(digests(scenario))
    return {
        "scenario": scenario.model_dump(mode="json"),
        "site": scenario.site,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "data": data,
        "periods": [{"weight": p.weight, "steps": p.steps, "start": p.start.isoformat()} for p in periods],
        "run": _mark(scenario, data),
    }


def _mark(scenario: Scenario, data: dict[str, str]) -> str:
    """What must be equal for results to belong together; more policies may join a run."""
    shared = scenario.model_dump(mode="json", exclude={"policies", "resource", "jobs", "weather"})
    plain = Scenario().model_dump(mode="json", include=set(LATER))
    shared = {key: value for key, value in shared.items() if key not in LATER or value != plain[key]}
    return hashlib.sha256(json.dumps([shared, data], sort_keys=True).encode()).hexdigest()


def rejected_lines(scenario: Scenario) -> list[dict[str, Any]]:
    """Every row of the trace that can't be used, with its line and the reason."""
    trace = load_trace(Path(scenario.jobs), scenario.job_scale, scenario.pai_slack_h)
    return list(trace.rejected.sort("line").select("line", "job_id", "reason").iter_rows(named=True))
