"""Everything that one cycle has found out, frozen: what the views are built from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.control.actuation.schedulers import Queue
from igoudar.control.alarms.alarm import Alarm
from igoudar.control.failsafe.suspended import Suspended
from igoudar.control.picture import Picture, Powers
from igoudar.control.plan_service import NOTHING_YET, InForce
from igoudar.control.planning.requests import Decision
from igoudar.control.roster import Roster
from igoudar.control.schema import KpiView, ModeView
from igoudar.control.series import DaySeries

Steps = list[tuple[datetime, float | None]]


@dataclass(frozen=True, slots=True)
class Scene:
    """One instant of the site as control knows it."""

    roster: Roster
    picture: Picture
    powers: Powers
    soc_pct: float | None
    mode: ModeView
    simulated: bool
    queue: Queue | None  # None when the scheduler does not answer
    decisions: Mapping[str, Decision]
    overrides: Mapping[str, str]  # job -> the verb a person set
    alarms: tuple[Alarm, ...]
    day: DaySeries
    means: Mapping[tuple[str, str], float] | None
    histories: Mapping[str, Steps]
    pue: KpiView  # over the last day, and over the latest quarter of an hour
    pue_now: KpiView
    renewable_share: KpiView
    renewable_share_now: KpiView
    run_now: Mapping[datetime, float]
    parts: Mapping[str, str] = field(default_factory=dict)
    first_good_at: datetime | None = None
    notifications: int = 0
    fresh: bool = True  # whether telemetry is good enough to act on
    plan: InForce = NOTHING_YET
    paused: Mapping[str, Suspended] = field(default_factory=dict)  # jobs that stand by the plan's wish
    config_version: str = ""

    @property
    def now(self) -> datetime:
        """Site time of the picture."""
        return self.picture.at

    @property
    def zone(self) -> str:
        """The site's time zone."""
        return self.roster.site.time_zone

    @property
    def answering(self) -> int:
        """Devices that are not silent."""
        return sum(not self.silent(name) for name in self.roster.devices)

    def silent(self, device: str) -> bool:
        """Whether a device has said nothing for three polls."""
        age_s = self.picture.age_s(device)
        return age_s is None or age_s > self.roster.stale_s(self.roster.devices[device])

    def priority(self, *sources: str) -> int | None:
        """The worst active alarm of some devices."""
        found = [a.priority for a in self.alarms if a.life.active and a.source in sources]
        return min(found, default=None)
