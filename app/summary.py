"""What an unattended run showed: its devices, its KPIs, and the plant against its run-now twin."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from igoudar.app.waiting import site_clock
from igoudar.control import windows
from igoudar.control.client import ApiClient
from igoudar.control.kpi.balance import balance_error
from igoudar.control.ledger import EXPORT, IMPORT, Books, Ledger, Times, books, load
from igoudar.control.roster import roster
from igoudar.control.schema import Status
from igoudar.core.errors import IgoudarError
from igoudar.core.model import Profile, Site
from igoudar.core.store.choice import open_reader
from igoudar.simulators.service import CHECKPOINT
from igoudar.simulators.summary import drained
from igoudar.simulators.twin import Inputs

SOURCES = (("grid", IMPORT), ("pv", IMPORT), ("wind", IMPORT), ("battery", IMPORT))
USES = (
    *(("grid", EXPORT), ("pv", EXPORT), ("wind", EXPORT), ("battery", EXPORT)),
    *(("transformer", IMPORT), ("desalination", IMPORT), ("electrolyser", IMPORT)),
)
TOLD = (
    *("plant_balance_error", "jobs_seen", "jobs_finished", "jobs_shifted", "deadlines_missed"),
    *("work_gpu_s", "work_gpu_s_run_now", "import_wh", "import_wh_run_now"),
)


@dataclass(frozen=True, slots=True)
class Start:
    """Where the counts stood at the first good reading."""

    status: Status
    wall_s: float

    @classmethod
    def of(cls, api: ApiClient) -> "Start":
        """The counts now."""
        return cls(api.status(), time.monotonic())


@dataclass(frozen=True, slots=True)
class Run:
    """The counts over the run; `report` adds the store's and the plant's figures once all parts stopped."""

    start: Start
    end: Status
    wall_s: float

    @classmethod
    def measured(cls, start: Start, api: ApiClient) -> "Run":
        """The counts since `start`."""
        return cls(start, api.status(), time.monotonic() - start.wall_s)

    def report(
        self, site: Site, profiles: Mapping[str, Profile], inputs: Inputs, state: Path
    ) -> dict[str, Any]:
        """Every figure of the run.

        Raises:
            IgoudarError: the simulators left no checkpoint.
        """
        return {
            "site": self.end.site,
            "devices": self.end.devices,
            "devices_answering": self.end.devices_answering,
            "points": self.end.points,
            "readings": self.end.readings - self.start.status.readings,
            "gaps": self.end.gaps - self.start.status.gaps,
            "points_per_s": (self.end.values - self.start.status.values) / self.wall_s,
            **metered(site, profiles, state, self.start.status.time, self.end.time),
            **twin(inputs, state / CHECKPOINT),
            "notifications": self.end.notifications - self.start.status.notifications,
            "wall_s": self.wall_s,
        }


def metered(
    site: Site, profiles: Mapping[str, Profile], state: Path, start: datetime, end: datetime
) -> dict[str, float | None]:
    """KPIs of the whole run from the stored counters."""
    people = roster(site, profiles, site_clock(state).speed)
    chart = books(people)
    gap_s = max(people.stale_s(device) for device in site.devices)
    kept = load(chart, open_reader(site, state), start, end, gap_s)
    return {
        "pue": windows.pue_view(kept, chart, start, end).value,
        "renewable_share": windows.share_view(kept, chart, start, end).value,
        "metered_balance_error": metered_balance_error(kept, chart),
    }


def metered_balance_error(kept: Ledger, chart: Books) -> float | None:
    """Supplied against used over the time that all counters cover."""
    span = kept.span(chart.all)
    if span is None:
        return None
    edges = np.array([at.timestamp() for at in span])
    return balance_error(_sum(kept, chart, SOURCES, edges), _sum(kept, chart, USES, edges))


def _sum(kept: Ledger, chart: Books, roles: tuple[tuple[str, str], ...], edges: Times) -> float:
    return sum(float(kept.energies_wh(chart.of(*role), edges).sum()) for role in roles)


def twin(inputs: Inputs, checkpoint: Path) -> dict[str, Any]:
    """The plant and its run-now shadow after both drained their queues."""
    if not checkpoint.exists():
        raise IgoudarError(
            "the simulators left no checkpoint", where=str(checkpoint), fix="see logs/simulate.log beside it"
        )
    found = drained(inputs, checkpoint)
    return {name: found[name] for name in TOLD}
