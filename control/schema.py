"""The API's documents: what the CLI and the dashboard may rely on.

Base units; text as codes with parameters.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

QualityWord = Literal["good", "uncertain", "bad", "stale", "off"]
ModeWord = Literal["observe", "advise", "auto"]
RoleWord = Literal["viewer", "operator", "supervisor", "admin"]


class Document(BaseModel):
    """Base of every document: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Document):
    """A message of the catalogue (core/i18n) with its parameters, and its English rendering."""

    code: str
    params: dict[str, Any] = {}
    english: str = ""


class Tile(Document):
    """One KPI: value, its last 24 h, its normal band, its limit."""

    code: str  # renewable_share pue it_load battery grid_import worst_inlet jobs_waiting data_quality
    value: float | None
    unit: str  # ratio, w, pct, c, count
    quality: QualityWord
    history: list[tuple[datetime, float | None]] = []  # at most 96 steps of 15 min
    band: tuple[float, float] | None = None
    limit: float | None = None
    note: Text | None = None
    priority: int | None = None  # of the worst active alarm on it


class Flow(Document):
    """One arm of the power flow."""

    # sources: solar wind grid battery; sinks: it cooling battery desalination electrolyser export losses
    code: str
    power_w: float | None
    forecast_w: float | None = None
    note: Text | None = None


class Chart(Document):
    """One time axis of 15-min steps, -24 h .. +48 h; null where nothing is known."""

    time: list[datetime]
    now: datetime
    renewable_w: list[float | None]
    load_w: list[float | None]
    run_now_w: list[float | None]
    moved_w: list[float | None]  # load - run_now: positive = moved here
    forecast_p10_w: list[float | None] = []
    forecast_p50_w: list[float | None] = []
    forecast_p90_w: list[float | None] = []
    plan_w: list[float | None] = []


class Sentence(Document):
    """What happens now, what next, what needs a person."""

    slot: Literal["now", "next", "needs_you"]
    span: tuple[datetime, datetime] | None = None
    title: Text
    text: Text


class Overview(Document):
    """Everything on the first page."""

    time: datetime
    zone: str
    site: str
    simulated: bool
    mode: ModeWord
    tiles: list[Tile]
    sources: list[Flow]
    sinks: list[Flow]
    bus_w: float | None
    chart: Chart
    sentences: list[Sentence]


class RackView(Document):
    """One rack on the floor plan."""

    name: str
    hall: str
    row: str
    position: int
    inlet_c: float | None
    power_w: float | None
    quality: QualityWord
    priority: int | None = None


class HallView(Document):
    """One hall's card; bands are [low, high] of the normal range."""

    name: str
    racks: int
    power_w: float | None
    power_band_w: tuple[float, float]
    power_max_w: float
    inlet_worst_c: float | None
    inlet_worst_rack: str | None
    liquid_supply_c: float | None
    liquid_delta_k: float | None


class Halls(Document):
    """The floor plan."""

    time: datetime
    inlet_limit_c: float
    racks: list[RackView]
    halls: list[HallView]


class RackDetail(Document):
    """One rack, close."""

    rack: RackView
    peak_w: float
    gpus: int
    liquid_supply_c: float | None
    liquid_return_c: float | None
    liquid_flow_lpm: float | None
    gpu_utilisation_pct: float | None
    gpu_temperature_c: float | None
    jobs: list[str]
    inlet_history: list[tuple[datetime, float | None]]  # 4 h
    inlet_band_c: tuple[float, float]
    trays: int


class AlarmView(Document):
    """One alarm; `state` by ISA-18.2."""

    id: str
    priority: int
    state: Literal["unacknowledged", "acknowledged", "returned_unacknowledged", "normal"]
    source: str
    text: Text
    action: Text
    raised_at: datetime
    returned_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    occurrences: int = 1


class Alarms(Document):
    """Active alarms, worst first, and the unacknowledged count per priority."""

    time: datetime
    counts: dict[int, int]
    alarms: list[AlarmView]


class JobView(Document):
    """One job as an operator sees it."""

    job_id: str
    name: str
    user: str
    gpus: int
    state: Literal["waiting", "held", "running", "suspended", "finished", "rejected"]
    flexible: bool
    submitted: datetime
    expected_s: float
    started: datetime | None = None
    finished: datetime | None = None
    deadline: datetime | None = None
    slack_s: float | None = None
    power_w: float | None = None
    energy_wh: float | None = None
    reason: Text | None = None


class Jobs(Document):
    """Jobs waiting (by slack) and running."""

    time: datetime
    waiting: int
    running: int
    finished: int
    jobs: list[JobView]


class DeviceView(Document):
    """One device's health."""

    name: str
    kind: str
    profile: str
    hall: str
    subject: str
    address: str
    quality: QualityWord
    last_at: datetime | None
    age_s: float | None
    source_at: datetime | None = None  # the device's own time of its newest value, where it gives one
    source_offset_s: float | None = None  # that time less ours: a clock that is off, or a value that is old
    gap: str | None = None
    values: dict[str, float | None] = {}


class Devices(Document):
    """All devices and how many answer."""

    time: datetime
    answering: int
    devices: list[DeviceView]


class KpiView(Document):
    """One KPI over one window, with all that qualifies it."""

    name: str
    value: float | None
    unit: str
    start: datetime
    end: datetime
    coverage: float  # share of the window where every input was valid
    edition: str = ""  # ISO/IEC 30134-2:2026
    category: int | None = None
    boundary: str = ""
    inputs: dict[str, float | None] = {}


class Kpis(Document):
    """The KPI family over one window."""

    time: datetime
    kpis: list[KpiView]


class ModeView(Document):
    """The control mode and who set it."""

    mode: ModeWord
    since: datetime
    by: str
    forced: str | None = None  # why another mode is refused
    classes: dict[str, ModeWord] = {}  # of each actuator class, never bolder than the site's


class ActionView(Document):
    """One recorded action."""

    at: datetime
    who: str
    verb: str
    target: str
    before: str | None
    after: str | None
    reason: Text
    result: str
    config_version: str
    number: int = 0  # in the audit's chain
    previous: str = ""  # hash of the line before
    hash: str = ""


class Status(Document):
    """One glance."""

    time: datetime
    zone: str
    site: str
    title: str
    simulated: bool
    speed: float
    mode: ModeWord
    devices: int
    devices_answering: int
    points: int  # distinct points of the site
    first_good_at: datetime | None
    readings: int
    gaps: int
    values: int = 0  # read since the collector started, all points of all devices
    it_w: float | None
    facility_w: float | None
    renewable_w: float | None
    import_w: float | None
    export_w: float | None
    battery_w: float | None
    soc_pct: float | None
    pue: float | None
    renewable_share: float | None
    jobs_waiting: int
    jobs_running: int
    alarms: dict[int, int]
    parts: dict[str, str]  # part -> state as the supervisor sees it
    notifications: int = 0  # sent since the state began


class SeriesView(Document):
    """One series, downsampled to a chart's width; null where there is no good value."""

    device: str
    point: str
    step_s: float
    time: list[datetime]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]


class ErrorView(Document):
    """What went wrong, where, and what to do next."""

    what: str
    where: str = ""
    fix: str = ""
    code: str = ""  # of the catalogue, with its parameters; "" = these words are all there is
    params: dict[str, Any] = {}


class PersonView(Document):
    """Who calls."""

    name: str
    role: RoleWord


class UserView(Document):
    """A named user."""

    name: str
    role: RoleWord
    created_at: datetime
    created_by: str
    disabled: bool


class NewUserView(Document):
    """A new user with the token, which is shown this once."""

    name: str
    role: RoleWord
    token: str


class AuditView(Document):
    """A full look at the audit's chain, and at its disks."""

    rows: int
    hash: str  # of the last line
    anchored: int  # number of the last line that an anchor outside the database knows
    whole: bool
    problems: list[Text]
    free_bytes: int
    low: bool  # soon full: a warning
    full: bool  # automation begins nothing new
    why: str  # a disk's refusal; empty when there is none


class PlanStep(Document):
    """One 15-min step of the plan; powers are step means [W]."""

    time: datetime
    urgent_w: float
    flexible_w: float
    cooling_w: float
    drives_w: float  # desalination and electrolyser
    battery_w: float  # positive = discharge
    import_w: float
    export_w: float
    curtailed_w: float
    run_now_w: float | None = None  # the whole load without shifting
    supply_p10_w: float
    supply_p50_w: float
    supply_p90_w: float
    reasons: list[Text] = []  # which constraint binds, what one more hour or MW would cost


class PlannedJob(Document):
    """A job in the plan that waits, or that the plan has paused, by slack."""

    job_id: str
    name: str
    user: str
    gpus: int
    racks: float
    energy_wh: float
    expected_s: float
    deadline: datetime | None
    slack_s: float | None
    start: datetime | None  # when the plan starts it; None = not within the horizon
    latest_start: datetime | None
    reason: Text
    proposed: bool = False  # advise mode: waits for a person's approval
    consequence: Text | None = None  # of approving: start, energy, slack, import


class PlanView(Document):
    """The plan in force: where it came from, its steps, its jobs."""

    time: datetime
    version: str  # of the plan; an approval names it
    config_version: str
    issued_at: datetime | None
    source: Literal["optimal", "last_safe", "greedy", "none"]
    why: Text  # of the source: solved, timed out, infeasible ...
    gave_way: list[Text] = []  # constraints that were relaxed, and by how much
    notes: list[Text] = []  # forecast fallbacks
    solve_s: float | None = None
    steps: list[PlanStep] = []
    jobs: list[PlannedJob] = []
