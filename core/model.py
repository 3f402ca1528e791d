"""The nouns: what stands on a site, what is read from it, what is asked of it.

Signs (docs/glossary.md): load positive = consumption, source positive = generation,
battery positive = discharge, grid positive = import.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from igoudar.core.model_caps import Capping
from igoudar.core.model_dsx import Dsx, Webhook
from igoudar.core.model_emergency import Emergency
from igoudar.core.model_guard import Guarding
from igoudar.core.model_people import Auditing, Listening, People
from igoudar.core.model_plan import Planning
from igoudar.core.model_scheduler import Scheduling
from igoudar.core.model_writes import Interlock, Remote, WriteRules


class Quality(IntEnum):
    """How far a value can be trusted; stored as u8."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Reason(IntEnum):
    """Why a value is not good, or why there is none; stored as u8. Numbers never change meaning."""

    NONE = 0
    SENTINEL = 1  # the device says "not implemented" or "not available"
    OUT_OF_RANGE = 2  # outside the profile's plausible range
    FROZEN = 3
    STALE = 4  # three polls missed
    AFTER_RECONNECT = 5
    STATUS_CODE = 6  # OPC UA status not good
    SCALE_FACTOR = 7  # the scale factor itself is not usable
    NO_CONNECTION = 8
    TIMEOUT = 9
    BUSY = 10  # Modbus exception 6
    EXCEPTION = 11  # any other Modbus exception
    MALFORMED = 12  # an answer that breaks its protocol
    MISSING = 13  # the node or metric is not there
    COUNTER_RESET = 14
    STEP = 15  # moved further than it can in the time; held back until the next reading confirms it


class Kind(StrEnum):
    """Device kinds; a kind fixes the canonical point names (docs/glossary.md)."""

    METER = "meter"
    PDU = "pdu"
    INVERTER = "inverter"
    BATTERY = "battery"
    WEATHER = "weather"
    TURBINE = "turbine"
    CHILLER = "chiller"
    CDU = "cdu"
    DRY_COOLER = "dry_cooler"
    COOLING_PLANT = "cooling_plant"
    RACK_SENSORS = "rack_sensors"
    GPU = "gpu"
    POWER_SHELF = "power_shelf"
    DESALINATION = "desalination"
    ELECTROLYSER = "electrolyser"


@dataclass(frozen=True, slots=True)
class Writable:
    """What may be written to a point, in the point's own unit."""

    minimum: float
    maximum: float
    reversion: str = ""  # the point that holds the reversion timer [s], "" where the device has none
    reversion_s: float = 60.0  # what the timer is set to; it is renewed while the setpoint is wanted
    enable: str = ""  # the point whose `enable_bit` must be set for the setpoint to act
    enable_bit: int = 1
    prepare: Mapping[str, float] = field(default_factory=dict)  # points that must hold a value before
    factory: float | None = None  # what is written to give the point back; None = what stood there before us
    eeprom: bool = False  # writes wear the device: `daily_writes` applies
    daily_writes: int = 20
    deadband: float = 0.0
    every_s: float = 5.0  # site time: least time between two writes
    verify_s: float = 2.0  # wall: within this it must read back as written

    @property
    def companions(self) -> tuple[str, ...]:
        """Points that are written along with this one, and never by themselves."""
        return tuple(name for name in (self.reversion, self.enable, *self.prepare) if name)


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a device; the suffix of its name is its unit."""

    name: str
    address: "ModbusAddress | OpcUaAddress | MetricAddress | RedfishAddress"
    counter: bool = False  # only grows; rollover and reset are told apart
    plausible: tuple[float, float] | None = None
    slow: bool = False  # read at the profile's slow period
    writable: Writable | None = None
    states: Mapping[int, str] = field(default_factory=dict)  # for *_state points: number -> word
    frozen_s: float = 0.0  # bit-identical for so long means frozen; 0 = it may stand still
    max_step_per_s: float = 0.0  # the fastest that it can move [its unit / s]; 0 = no rule
    modulus: float = 0.0  # of a counter, in its unit; 0 = what its registers hold


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """Where and how a value stands in registers.

    `model` is 0 for a fixed map (then `register` is the 0-based wire address) or a SunSpec model id (then
    `register` is the offset from the model's ID register).
    """

    register: int
    type: str  # u16 i16 u32 i32 u64 i64 f32 f64 acc32 acc64 enum16 bitfield16 bitfield32
    model: int = 0
    function: int = 3
    scale: float = 1.0  # value = raw x scale x 10^scale-factor
    offset: float = 0.0  # value = ... + offset
    scale_factor: int | None = None  # register (or offset in the model) of a signed sunssf
    word_order: str = "ABCD"  # ABCD CDAB BADC DCBA
    sentinels: tuple[int, ...] = ()  # raw unsigned patterns that mean "no value"
    repeat: int = 1  # how many instances (repeating blocks); 1 = plain


@dataclass(frozen=True, slots=True)
class OpcUaAddress:
    """A node below the device's object: `ns=<namespace>;s=<tag>.<path>`."""

    path: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class MetricAddress:
    """A Prometheus metric, folded over its samples by `fold` (sum, mean, max, min, count)."""

    metric: str
    fold: str = "sum"
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class RedfishAddress:
    """A property of a resource below the device's chassis; `*` in its pointer folds over many."""

    resource: str  # "EnvironmentMetrics", relative to the chassis; "" = the chassis itself
    pointer: str  # RFC 6901, "/PowerWatts/Reading"
    scale: float = 1.0
    fold: str = ""  # sum, mean, max, min, count; "" = exactly one value
    words: Mapping[str, int] = field(default_factory=dict)  # of an enumeration: word -> number, first wins


@dataclass(frozen=True, slots=True)
class RedfishLogin:
    """How Redfish services know us; "" = no account, as over a management network of its own."""

    user_file: str = ""
    password_file: str = ""
    session: bool = True  # a session of our own; otherwise the password goes with every request


@dataclass(frozen=True, slots=True)
class ModbusRules:
    """How a product wants to be spoken to."""

    max_registers: int = 125
    max_fill: int = 8  # unread registers that may be read along to merge two reads
    holes: tuple[tuple[int, int], ...] = ()  # register ranges that answer exception 2
    pause_s: float = 0.0  # between requests
    connect_pause_s: float = 0.0
    in_flight: int = 1
    timeout_s: float = 3.0
    single_client: bool = False  # release the socket between cycles
    settle_s: float = 0.0  # values this soon after a reconnect are discarded
    unit: int = 1
    sunspec_base: int | None = None
    sunspec_models: tuple[tuple[int, int], ...] = ()  # (model id, length) in the order the product has them


@dataclass(frozen=True, slots=True)
class Profile:
    """One product as data."""

    name: str
    kind: Kind
    protocol: str  # modbus | opcua | prometheus | redfish
    products: tuple[str, ...]
    source: str
    verified: str  # hardware | vendor-map | excerpt | generic
    points: Mapping[str, Point]
    period_s: float = 5.0
    slow_period_s: float = 60.0
    modbus: ModbusRules = ModbusRules()
    namespace: str = ""  # OPC UA namespace URI
    frozen_s: float = 0.0  # all witnesses bit-identical for so long: the whole device is frozen
    witnesses: tuple[str, ...] = ()  # points that can't all stand still
    clock: str = ""  # the point that tells the device's own time [POSIX s], "" = none
    remote: Remote = field(default_factory=Remote)
    interlocks: tuple[Interlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """One thing with an address.

    `subject` is the asset it measures or drives: a rack, a feed, a hall, "pv", "wind", "battery",
    "cooling", "desalination", "electrolyser" or "site". `role` says what a meter counts: grid,
    transformer, it, pv, wind, battery, desalination, electrolyser, cooling; "" for other kinds. A meter
    counts positive (and in `active_energy_import_wh`) in its role's positive direction.
    `share` is the part of the subject that this device carries (a PDU feed A of two: 0.5).
    """

    name: str
    kind: Kind
    profile: str
    address: str  # modbus-tcp://host:port/unit, -tls, -rtu | opc.tcp://host:port/tag | http://host:port/path
    subject: str
    role: str = ""
    hall: str = ""
    share: float = 1.0
    allow: frozenset[str] = frozenset()  # writable points that the site lets us write
    no_reversion: frozenset[str] = frozenset()  # of these: the site knows that they stay as written


@dataclass(frozen=True, slots=True)
class Gap:
    """Why a reading has no values."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One device at one instant.

    `values` holds good and uncertain values only; `flags` holds every point that is not good. A point in
    `flags` with BAD quality is never in `values`. `gap` says why nothing was read at all.
    """

    at: datetime  # received, site time, UTC
    device: str
    values: Mapping[str, float]  # point name -> value in the unit of the name's suffix
    flags: Mapping[str, tuple[Quality, Reason]] = field(default_factory=dict)
    source_at: datetime | None = None
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Hall:
    """One data hall."""

    name: str


@dataclass(frozen=True, slots=True)
class Rack:
    """One rack: where it stands and what it can draw."""

    name: str
    hall: str
    row: str
    position: int
    gpus: int
    peak_w: float
    idle_w: float
    feeds: tuple[str, ...]  # names of the feeds (A, B) that carry it
    cdu: str = ""  # name of the coolant distribution unit that cools it


@dataclass(frozen=True, slots=True)
class Feed:
    """One node of the power tree: grid, bus, transformer, feeder, pdu or rack."""

    name: str
    kind: str
    parent: str  # "" for the grid
    rated_w: float


@dataclass(frozen=True, slots=True)
class SolarFarm:
    """The site's photovoltaic plant."""

    ac_w: float = 0.0
    inverter_w: float = 300e3
    dc_ratio: float = 1.2
    tilt_deg: float = 23.0
    azimuth_deg: float = 180.0
    soiling_per_day: float = 0.002


@dataclass(frozen=True, slots=True)
class WindFarm:
    """The site's wind plant; `derating` scales the region's optimistic factors (SITE.md: 0.44 / 0.581)."""

    turbines: int = 0
    turbine_w: float = 6e6
    derating: float = 0.76

    @property
    def ac_w(self) -> float:
        """Rated power of the farm [W]."""
        return self.turbines * self.turbine_w


@dataclass(frozen=True, slots=True)
class BatteryBank:
    """Battery on the AC side; `efficiency` is each way."""

    energy_wh: float = 0.0
    power_w: float = 0.0
    efficiency: float = 0.95
    soc_min_pct: float = 10.0
    soc_max_pct: float = 95.0


@dataclass(frozen=True, slots=True)
class CoolingPlant:
    """Design figures of the cooling plant."""

    liquid_share: float = 0.85  # of the heat goes to liquid, the rest to air
    supply_c: float = 30.0  # liquid to the racks
    racks_per_cdu: int = 8
    dry_cooler_w: float = 1.5e6  # heat per cell
    dry_coolers: int = 1
    chillers: int = 1
    chiller_w: float = 0.5e6  # heat each trim chiller lifts
    inlet_limit_c: float = 27.0  # ASHRAE recommended upper bound


@dataclass(frozen=True, slots=True)
class FlexibleLoad:
    """Desalination or an electrolyser: a power and a daily quantity of energy."""

    power_w: float = 0.0
    daily_wh: float = 0.0


@dataclass(frozen=True, slots=True)
class Grid:
    """The interconnection."""

    import_limit_w: float = 0.0
    export_limit_w: float = 0.0
    carbon_g_per_kwh: float = 551.0  # KPIS.md section 3: aggregator value for Morocco, 2024


@dataclass(frozen=True, slots=True)
class Prices:
    """What the plan reckons with, in the site's money; the reference scenario's by default."""

    import_per_mwh: float = 60.0
    export_per_mwh: float = 0.0
    peak_per_mw_week: float = 600.0  # of the week's highest 15-min import


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """A threshold on a canonical point of a device kind; limits in the point's unit."""

    code: str
    kind: Kind
    point: str
    priority: int  # 1 highest .. 3
    high: float | None = None
    low: float | None = None
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    subject: str = ""  # "" = every subject


@dataclass(frozen=True, slots=True)
class SpoolRules:
    """How much the spool may hold while the store is away, and how soon a reading is on disk."""

    most_bytes: int = 32 * 1000**3
    hours: float = 48.0  # site time
    window_s: float = 1.0  # wall: what was read longer ago than this has been fsynced


@dataclass(frozen=True, slots=True)
class OpcUaServer:
    """What the site says of one OPC UA server, which devices share.

    `security` is "sign-and-encrypt" (the default) or "none", an exception that `reason` explains; the files
    hold the user's name and password, "" for an anonymous session.
    """

    server: str  # opc.tcp://host:port
    security: str = "sign-and-encrypt"
    reason: str = ""
    user_file: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files for links over TLS; "" = the system's authorities, no certificate of our own."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True  # the peer's certificate, and that it is for the address we called


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """Where samples are kept; `..._days` are the embedded store's, the other fields InfluxDB's."""

    kind: str = "parquet"  # parquet | influx
    url: str = ""
    org: str = ""
    bucket: str = ""  # on 3.x and 1.x: the database
    token_file: str = ""  # the collector's, which writes
    read_token_file: str = ""  # control's, which only reads; "" = the same
    precision: str = "us"  # ns | us | ms
    retention_s: int = 0  # 0 = for ever
    raw_days: int = 30  # days with data kept as samples, as 1-min and as 15-min roll-ups
    minute_days: int = 180
    quarter_days: int = 1830


@dataclass(frozen=True, slots=True)
class Site:
    """One site, expanded."""

    name: str
    title: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    time_zone: str
    halls: tuple[Hall, ...]
    racks: tuple[Rack, ...]
    feeds: tuple[Feed, ...]
    devices: tuple[Device, ...]
    solar: SolarFarm = SolarFarm()
    wind: WindFarm = WindFarm()
    battery: BatteryBank = BatteryBank()
    cooling: CoolingPlant = CoolingPlant()
    desalination: FlexibleLoad = FlexibleLoad()
    electrolyser: FlexibleLoad = FlexibleLoad()
    grid: Grid = Grid()
    prices: Prices = Prices()
    urgent_share: float = 0.48  # of it_w: mean urgent load, idle draw included (INTERFACES.md)
    alarms: tuple[AlarmRule, ...] = ()
    store: StoreChoice = StoreChoice()
    spool: SpoolRules = SpoolRules()
    sources: tuple[str, ...] = ()
    opcua: tuple[OpcUaServer, ...] = ()
    tls: TlsFiles = TlsFiles()
    redfish: RedfishLogin = RedfishLogin()
    network: str = ""  # the segmented network that protects links which can't protect themselves
    caps: Capping = field(default_factory=Capping)
    guard: Guarding = field(default_factory=Guarding)
    writes: WriteRules = field(default_factory=WriteRules)
    interlocks: tuple[Interlock, ...] = ()
    audit: Auditing = field(default_factory=Auditing)
    api: Listening = field(default_factory=Listening)
    people: People = field(default_factory=People)
    scheduler: Scheduling = field(default_factory=Scheduling)
    emergency: Emergency = field(default_factory=Emergency)
    plan: Planning = field(default_factory=Planning)
    dsx: Dsx = field(default_factory=Dsx)
    webhook: Webhook = field(default_factory=Webhook)
    members: tuple[str, ...] = ()  # a fleet's sites; devices are then prefixed "SITE/"

    @property
    def it_w(self) -> float:
        """Rated IT power: the sum of the racks' peaks [W]."""
        return sum(rack.peak_w for rack in self.racks)

    @property
    def gpus(self) -> int:
        """GPUs in all racks."""
        return sum(rack.gpus for rack in self.racks)


@dataclass(frozen=True, slots=True)
class Setpoint:
    """A value asked of a device's writable point.

    `actuator` and `origin` are words of control/actuation/command.py; `epoch` is the lease's under which it
    was decided; `approved_by` names the people who approved it, "" for nobody.
    """

    device: str
    point: str
    value: float
    expires_at: datetime
    command_id: str
    reason: str = ""
    actuator: str = ""  # "" = the class of the device's kind
    origin: str = "plan"
    epoch: int | None = None  # None = whatever epoch the collector obeys
    approved_by: str = ""


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    HELD = "held"
    RUNNING = "running"
    SUSPENDED = "suspended"
    FINISHED = "finished"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Job:
    """A gang of GPUs for some time; times are site time, UTC."""

    job_id: str
    user: str
    gpus: int
    submitted: datetime
    duration_s: float  # true work at full power [s]; a scheduler shows an expectation instead
    deadline: datetime | None = None
    flexible: bool = True
    name: str = ""
