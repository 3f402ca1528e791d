"""What a study runs on: a scenario file, options given beside it, and the site they start from."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from igoudar.core.errors import ConfigError
from igoudar.core.model import Site
from igoudar.lab.chill import CoolingEntry
from igoudar.lab.events import LimitEntry

DAYS_OF_A_PERIOD = 7
PHILLY_URGENT_SHARE = 0.48  # INTERFACES.md, the reference scenario
DURATIONS = ("declared", "learned")


class Scenario(BaseModel):
    """Every setting of a run; powers in MW and energies in MWh because people write them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    site: str = "dakhla-phase1"
    resource: str = ""
    jobs: str = ""
    policies: tuple[str, ...] = ("run-now", "greedy")
    days: int = 56
    pv_mw: float | None = None  # None: the site's
    wind_mw: float | None = None
    battery_mwh: float | None = None
    battery_mw: float | None = None
    efficiency: float = 0.95  # each way, on the AC side
    import_limit_mw: float | None = None
    export_limit_mw: float | None = None
    price: float = 60.0  # per MWh imported
    export_price: float = 0.0
    peak_price_per_mw_week: float = 0.0
    job_scale: int = 1
    first_week: int = 0  # of the trace, for the first period; later ones follow, around its end
    it_cap_mw: float | None = None
    gpus: int | None = None
    pue: float = 1.08
    urgent_share: float = PHILLY_URGENT_SHARE
    urgent_swing: float = 0.15
    desalination_mwh_per_day: float = 0.0
    electrolyser_mwh_per_day: float = 0.0
    durations: str = "declared"
    pai_slack_h: float = 24.0  # deadline of jobs from a trace without deadlines: submission + length + this
    checkpoint_min: float = 10.0
    min_run_min: float = 60.0
    weather: str = ""
    seed: int = 1
    reserve_mw: float = 0.0  # kept for wind that falls short
    reserve_share: float = 0.0  # of the wind forecast's P50 less P10; the larger counts
    caps: bool = False  # the plan may lower the power of GPUs whose jobs can wait
    cap_least_pct: float = 85.0  # of full power
    cooling: CoolingEntry | None = None  # None: the overhead is as the PUE says
    limit: tuple[LimitEntry, ...] = ()  # announced limits in time

    def model_post_init(self, _: Any, /) -> None:
        """Refuse what no run could mean.

        Raises:
            ConfigError: naming the setting.
        """
        for name in ("price", "export_price", "peak_price_per_mw_week"):
            _need(getattr(self, name) >= 0, name, "is negative", "give a price of 0 or more")
        for name in _POWERS:
            value = getattr(self, name)
            _need(value is None or value >= 0, name, "is negative", "give 0 or more")
        _need(self.days >= 1, "days", "is under 1", "run at least one day")
        _need(self.job_scale >= 1, "job_scale", "is under 1", "give a whole number of at least 1")
        _need(self.first_week >= 0, "first_week", "is under 0", "count the trace's weeks from 0")
        _need(0.5 < self.efficiency <= 1, "efficiency", "is not within (0.5, 1]", "give it each way")
        _need(self.pue >= 1, "pue", "is under 1", "give at least 1")
        _need(
            0 < self.cap_least_pct <= 100, "cap_least_pct", "is not within (0, 100]", "give a share of power"
        )
        for one in self.limit:
            _need(one.end_h > one.start_h, "limit", "ends before it starts", "give end_h after start_h")
        _need(self.durations in DURATIONS, "durations", "is unknown", f"use {' or '.join(DURATIONS)}")


_POWERS = (
    *("pv_mw", "wind_mw", "battery_mwh", "battery_mw", "import_limit_mw", "export_limit_mw"),
    *("it_cap_mw", "desalination_mwh_per_day", "electrolyser_mwh_per_day", "urgent_share"),
    *("reserve_mw", "reserve_share"),
)


def _need(holds: bool, name: str, what: str, fix: str) -> None:
    if not holds:
        raise ConfigError(f"{name} {what}", where="scenario", fix=fix)


def read_scenario(path: Path) -> Scenario:
    """A scenario file.

    Raises:
        ConfigError: naming the file, the key and the nearest known one.
    """
    try:
        given = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't be read ({error})", where=str(path), fix="check the file") from error
    return changed(Scenario(), given, str(path))


def changed(scenario: Scenario, given: Mapping[str, Any], where: str = "options") -> Scenario:
    """`scenario` with what was given; None means not given."""
    known = Scenario.model_fields
    for key in given:
        if key not in known:
            near = get_close_matches(key, known, 1)
            fix = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            raise ConfigError(f"unknown key {key}", where=where, fix=fix)
    kept = {key: value for key, value in given.items() if value is not None}
    try:
        return Scenario.model_validate({**scenario.model_dump(), **kept})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{key}: {first['msg']}", where=where, fix="give a value of that kind") from error


def settled(scenario: Scenario, site: Site) -> Scenario:
    """`scenario` with the site's own figures where none were given."""
    own = {
        "pv_mw": site.solar.ac_w / 1e6,
        "wind_mw": site.wind.ac_w / 1e6,
        "battery_mwh": site.battery.energy_wh / 1e6,
        "battery_mw": site.battery.power_w / 1e6,
        "import_limit_mw": site.grid.import_limit_w / 1e6,
        "export_limit_mw": site.grid.export_limit_w / 1e6,
        "it_cap_mw": site.it_w / 1e6,
        "gpus": site.gpus,
    }
    return changed(scenario, {k: v for k, v in own.items() if getattr(scenario, k) is None})
