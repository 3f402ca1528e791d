"""What an event may move, and what each would give; one frozen picture per cycle. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf

from igoudar.control.demand_response.feeds import FeedRoom
from igoudar.core.model import JobState


@dataclass(frozen=True, slots=True)
class JobLever:
    """One flexible job that is ours to move; urgent jobs and those that a person steers are none."""

    job_id: str
    gpus: int
    state: JobState  # WAITING, RUNNING or SUSPENDED
    relief_w: float  # less facility load once it stands, a cautious figure
    rise_w: float  # more facility load once it runs, a cautious figure
    left_s: float  # longest run still ahead
    lost_s: float  # work that a stop throws away
    deadline: datetime | None = None  # margin taken off
    begin_at: datetime | None = None  # of a waiting job: it starts by itself then
    hopeless: bool = False  # its deadline is lost even if it runs on
    racks: tuple[str, ...] = ()  # where it stands; () = nobody knows before it starts

    @property
    def latest(self) -> datetime | None:
        """When it must run at the latest, None without a deadline."""
        return self.deadline - timedelta(seconds=self.left_s) if self.deadline else None

    def slack_s(self, now: datetime) -> float:
        """How long it may stand; of a running job, what its stop throws away is taken off [s]."""
        if self.deadline is None:
            return inf
        lost_s = self.lost_s if self.state is JobState.RUNNING else 0.0
        return (self.deadline - now).total_seconds() - self.left_s - lost_s


@dataclass(frozen=True, slots=True)
class CapLever:
    """GPUs behind one power limit, none of which serves an urgent job."""

    target: str
    now_w: float  # what they draw
    limit_w: float  # their limit now
    least_w: float  # the lowest limit that the site lets an event set
    full_w: float  # the limit without an event
    gpus: int = 0

    @property
    def relief_w(self) -> float:
        """What the lowest limit takes off now; nothing where they draw less than that."""
        return max(0.0, min(self.now_w, self.limit_w) - self.least_w)

    @property
    def rise_w(self) -> float:
        """What full power may add to what they draw."""
        return max(0.0, self.full_w - self.now_w)

    @property
    def binds_urgent(self) -> bool:
        """Only listed to be given back: an urgent job has come to it."""
        return self.least_w >= self.full_w


@dataclass(frozen=True, slots=True)
class LoadLever:
    """Desalination or an electrolyser: not behind the transformers, so it relieves the grid meter only."""

    device: str
    now_w: float
    rated_w: float

    @property
    def rise_w(self) -> float:
        """What it may add to what it draws, without a limit."""
        return max(0.0, self.rated_w - self.now_w)


@dataclass(frozen=True, slots=True)
class BatteryLever:
    """The battery as a whole."""

    now_w: float  # discharge positive
    most_w: float
    stored_wh: float  # above its lower limit, as AC energy
    step_w: float = 0.0  # a smaller change of what is asked is not taken notice of
    read_at: datetime | None = None  # when `now_w` was read


@dataclass(frozen=True, slots=True)
class Levers:
    """All of them."""

    jobs: tuple[JobLever, ...] = ()
    caps: tuple[CapLever, ...] = ()
    loads: tuple[LoadLever, ...] = ()
    battery: BatteryLever | None = None
    feeds: FeedRoom | None = None  # what breakers and legs carry; None = not known
    arriving_w: float = 0.0  # load that will come by itself: urgent jobs that start, jobs that people steer
    battery_mute: bool = False  # there is one, and it is not heard just now

    def by_id(self) -> Mapping[str, JobLever]:
        """Jobs by id."""
        return {job.job_id: job for job in self.jobs}

    def without(self, devices: Collection[str]) -> "Levers":
        """All but these devices."""
        caps = tuple(one for one in self.caps if one.target not in devices)
        loads = tuple(one for one in self.loads if one.device not in devices)
        return replace(self, caps=caps, loads=loads)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the meters say; None where one is missing."""

    now: datetime
    facility_w: float | None
    import_w: float | None
    read_at: datetime | None  # when the oldest of these meters was read
    cycle_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Limit:
    """The strictest of what holds now; None = no limit on that meter."""

    facility_w: float | None = None
    import_w: float | None = None
    until: datetime | None = None  # when the last of the acting events ends, None = open
    acting: bool = False  # an event holds; False = only the way back is left

    @property
    def none(self) -> bool:
        """Nothing is limited."""
        return self.facility_w is None and self.import_w is None


@dataclass(frozen=True, slots=True)
class Pause:
    """A job to suspend, and by when it must run again."""

    job_id: str
    resume_by: datetime


@dataclass(frozen=True, slots=True)
class Delay:
    """A waiting job's begin time."""

    job_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the event wants done in this cycle."""

    pauses: tuple[Pause, ...] = ()
    longer: tuple[Pause, ...] = ()  # paused already; they stand longer than was noted
    resumes: tuple[str, ...] = ()
    delays: tuple[Delay, ...] = ()
    releases: tuple[str, ...] = ()
    caps: Mapping[str, float] = field(default_factory=dict)  # target -> power limit [W]
    loads: Mapping[str, float] = field(default_factory=dict)  # device -> limit [W]
    battery_w: float | None = None  # discharge to hold; None = the battery is left alone
    loses: tuple[str, ...] = ()  # jobs whose deadline this costs
    short_w: float = 0.0  # of the limit, that no lever covers

    @property
    def nothing(self) -> bool:
        """No command follows from this."""
        moved = (self.pauses, self.resumes, self.delays, self.releases, self.caps, self.loads)
        return not any(moved) and self.battery_w is None
