"""Everything that a run reads: the site's figures, the supply, the jobs, the weather."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from igoudar.control.planning.forecast.durations import learned_durations
from igoudar.control.planning.table import Floats
from igoudar.core.errors import ConfigError
from igoudar.core.model import Site
from igoudar.lab.periods import Period, build_periods
from igoudar.lab.resources import ResourcePeriod, load_periods, resource_file
from igoudar.lab.scenario import Scenario
from igoudar.lab.stored import stored_periods
from igoudar.lab.traces import Trace, load_trace
from igoudar.lab.weather import pue_of_periods

PARQUET = ".parquet"
LEARNED = "learned"
KNOWN_AFTER_S = 86_400.0  # a job teaches so long after it could have ended: most wait less; our assumption


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was read, before periods are made of it."""

    resource: list[ResourcePeriod]
    trace: Trace
    pue: list[Floats] | None

    def periods(self, scenario: Scenario) -> list[Period]:
        """The periods of a settled scenario."""
        return build_periods(scenario, self.resource, self.trace, self.pue)


def load_inputs(scenario: Scenario) -> Inputs:
    """Read all files of a scenario.

    Raises:
        ConfigError: naming the file and the line.
    """
    resource, file = _resource(scenario), Path(scenario.weather)
    pue = pue_of_periods(file, resource) if scenario.weather else None
    trace = load_trace(Path(scenario.jobs), scenario.job_scale, scenario.pai_slack_h)
    return Inputs(resource, with_learned(trace) if scenario.durations == LEARNED else trace, pue)


def with_learned(trace: Trace) -> Trace:
    """What a scheduler reckons with, learned from the jobs of the trace that ended before each submission."""
    jobs = trace.jobs
    expected, longest = learned_durations(
        jobs["user"].to_list(),
        jobs["gpus"].to_numpy().astype(float),
        jobs["submitted_s"].to_numpy(),
        jobs["duration_s"].to_numpy(),
        KNOWN_AFTER_S,
    )
    told = jobs.with_columns(pl.Series("expected_s", expected), pl.Series("longest_s", longest))
    unknown = [pl.lit(None, dtype=pl.Float64).alias(name) for name in ("expected_s", "longest_s")]
    return replace(trace, jobs=told, rejected=trace.rejected.with_columns(*unknown))


def named_site(name: str) -> Site:
    """The site by a seed's name or a file's path."""
    from igoudar.collectors.profiles import load_profiles
    from igoudar.core.site import load_site

    return load_site(name, load_profiles())


def _resource(scenario: Scenario) -> list[ResourcePeriod]:
    path = Path(scenario.resource)
    if path.suffix == PARQUET:
        return stored_periods(path, named_site(scenario.site), scenario.days)
    return load_periods(path, scenario.days)


def digests(scenario: Scenario) -> Mapping[str, str]:
    """SHA-256 of each file read, so that a run goes on only with the same data."""
    files = {"jobs": Path(scenario.jobs), "weather": Path(scenario.weather)}
    resource = Path(scenario.resource)
    files["resource"] = resource if resource.suffix == PARQUET else resource_file(resource)
    return {name: _digest(file) for name, file in sorted(files.items()) if file != Path()}


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"can't be read ({error})", where=str(file), fix="check the path") from error
