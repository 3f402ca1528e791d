"""Everything that a run reads: the site's figures, the supply, the jobs, the weather."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    return Inputs(resource, load_trace(Path(scenario.jobs), scenario.job_scale, scenario.pai_slack_h), pue)


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
