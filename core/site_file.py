"""What may be written in a site file; `core/site.py` makes a Site of it.

Powers and energies carry their unit ("300 kW"); other figures say it in the key's suffix. Texts of `halls`,
`feeds`, `racks` and `devices` are patterns (core/pattern.py). A table's `source` says where its figures come
from, or that they are an assumption.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from igoudar.core.control_tables.audit import AuditTable, RecordsTable
from igoudar.core.control_tables.caps import CapsTable
from igoudar.core.control_tables.dsx import DsxTable, WebhookTable
from igoudar.core.control_tables.emergency import EmergencyTable
from igoudar.core.control_tables.guard import GuardTable
from igoudar.core.control_tables.people import ApiTable, PeopleTable
from igoudar.core.control_tables.plan import PlanTable
from igoudar.core.control_tables.scheduler import SchedulerTable
from igoudar.core.control_tables.writes import InterlockEntry, WritesTable
from igoudar.core.site_words import (
    AbsoluteFile,
    EnergyWh,
    Name,
    Percent,
    PowerW,
    Share,
    Sourced,
    Table,
    TimeZone,
    Words,
)


class Place(Sourced):
    """Where the site stands."""

    latitude_deg: float = Field(ge=-90, le=90)
    longitude_deg: float = Field(ge=-180, le=180)
    altitude_m: float = Field(default=0.0, ge=-430, le=9000)
    time_zone: TimeZone


class Solar(Sourced):
    """Photovoltaic plant: AC rating, one inverter's rating, panels over inverters."""

    ac: PowerW
    inverter: PowerW = 300e3
    dc_ratio: float = Field(default=1.2, gt=0, le=3)
    tilt_deg: float = Field(default=23.0, ge=0, le=90)
    azimuth_deg: float = Field(default=180.0, ge=0, le=360)
    soiling_per_day: float = Field(default=0.002, ge=0, le=1)


class Wind(Sourced):
    """Wind plant: how many turbines of which rating; derating as in model.WindFarm."""

    turbines: int = Field(ge=0)
    turbine: PowerW = 6e6
    derating: float = Field(default=0.76, gt=0, le=1)


class Battery(Sourced):
    """Battery on the AC side; efficiency each way."""

    energy: EnergyWh
    power: PowerW
    efficiency: float = Field(default=0.95, gt=0, le=1)
    soc_min_pct: Percent = 10.0
    soc_max_pct: Percent = 95.0


class Cooling(Sourced):
    """Design figures of the cooling plant, as in model.CoolingPlant."""

    liquid_share: float = Field(default=0.85, ge=0, le=1)
    supply_c: float = Field(default=30.0, ge=5, le=60)
    racks_per_cdu: int = Field(default=8, ge=1)
    dry_cooler: PowerW = 1.5e6
    dry_coolers: int = Field(default=1, ge=0)
    chillers: int = Field(default=1, ge=0)
    chiller: PowerW = 0.5e6
    inlet_limit_c: float = Field(default=27.0, ge=10, le=45)


class Flexible(Sourced):
    """A load with a power and a daily quantity of energy."""

    power: PowerW
    daily: EnergyWh


class GridLimits(Sourced):
    """The interconnection."""

    import_limit: PowerW
    export_limit: PowerW = 0.0
    carbon_g_per_kwh: float = Field(default=551.0, ge=0)


class PriceTable(Sourced):
    """What energy costs, per MWh imported and exported and per MW of each week's highest 15-min import."""

    import_mwh: float = Field(default=60.0, ge=0)
    export_mwh: float = Field(default=0.0, ge=0)
    peak_mw_week: float = Field(default=600.0, ge=0)


class HallEntry(Sourced):
    """Halls."""

    name: str


class FeedEntry(Sourced):
    """Nodes of the power tree; only the grid has no parent."""

    name: str
    kind: str
    parent: str = ""
    rated: PowerW


class RackEntry(Sourced):
    """Racks of one kind."""

    name: str
    hall: str
    row: str
    position: str
    gpus: int = Field(ge=0)
    peak: PowerW
    idle: PowerW
    feeds: list[str] = Field(min_length=1)
    cdu: str = ""


class DeviceEntry(Sourced):
    """Devices of one profile."""

    name: str
    profile: str
    address: str
    subject: str
    role: str = ""
    hall: str = ""
    share: Share = 1.0
    allow: list[str] = Field(default_factory=list)
    no_reversion: list[str] = Field(default_factory=list)


class AlarmOverride(Table):
    """What a site changes in a rule of seeds/alarms.toml."""

    off: bool = False
    priority: int | None = Field(default=None, ge=1, le=3)
    high: float | None = None
    low: float | None = None
    deadband: float | None = Field(default=None, ge=0)
    on_delay_s: float | None = Field(default=None, ge=0)
    off_delay_s: float | None = Field(default=None, ge=0)


class Keeping(Table):
    """Where readings go, and how long they wait on disk for a store that is away (docs/store.md)."""

    kind: Literal["parquet", "influx"] = "parquet"
    url: Annotated[str, Field(max_length=300, pattern=r"^(https?://[^\s/@?#]+)?$")] = ""
    org: Words = ""
    bucket: Words = ""
    token_file: AbsoluteFile = ""
    read_token_file: AbsoluteFile = ""
    precision: Literal["ns", "us", "ms"] = "us"
    retention_days: float = Field(default=0.0, ge=0, le=36_525)
    raw_days: int = Field(default=30, ge=2, le=36_525)
    minute_days: int = Field(default=180, ge=2, le=36_525)
    quarter_days: int = Field(default=1830, ge=2, le=36_525)
    spool_gb: float = Field(default=32.0, gt=0.001, le=100_000)
    spool_hours: float = Field(default=48.0, gt=0, le=24 * 366)
    window_s: float = Field(default=1.0, ge=0.1, le=60)


class MemberEntry(Sourced):
    """One site of a fleet: a seed or a file beside this one, perhaps at another place."""

    name: Name
    site: str
    title: Words = ""
    place: Place | None = None


class OpcUaEntry(Table):
    """What one OPC UA server needs beyond the default: SignAndEncrypt, a trusted certificate, no user."""

    server: Annotated[str, Field(max_length=200, pattern=r"^opc\.tcp://[^\s/]+:[0-9]{1,5}$")]
    security: Literal["sign-and-encrypt", "none"] = "sign-and-encrypt"
    reason: Words = ""
    user_file: AbsoluteFile = ""
    password_file: AbsoluteFile = ""


class TlsEntry(Table):
    """Files (PEM) for Modbus over TLS; whoever sets `verify` to false says why."""

    ca: AbsoluteFile = ""
    certificate: AbsoluteFile = ""
    key: AbsoluteFile = ""
    verify: bool = True
    reason: Words = ""


class RedfishTable(Table):
    """The account at Redfish services: files that hold its name and password, for all of them alike."""

    user_file: AbsoluteFile = ""
    password_file: AbsoluteFile = ""
    session: bool = True


class LinksTable(Table):
    """How devices are spoken to, by protocol; `network` names what protects links without security."""

    network: Words = ""
    tls: TlsEntry = TlsEntry()
    opcua: list[OpcUaEntry] = Field(default_factory=list)
    redfish: RedfishTable = RedfishTable()


class SiteFile(Table):
    """One site file."""

    name: Name
    title: Words
    sources: list[Words] = Field(default_factory=list)
    urgent_share: float = Field(default=0.48, ge=0, le=1)
    place: Place
    solar: Solar | None = None
    wind: Wind | None = None
    battery: Battery | None = None
    cooling: Cooling | None = None
    desalination: Flexible | None = None
    electrolyser: Flexible | None = None
    grid: GridLimits | None = None
    prices: PriceTable | None = None
    halls: list[HallEntry] = Field(default_factory=list)
    feeds: list[FeedEntry] = Field(default_factory=list)
    racks: list[RackEntry] = Field(default_factory=list)
    devices: list[DeviceEntry] = Field(default_factory=list)
    members: list[MemberEntry] = Field(default_factory=list)
    links: LinksTable = LinksTable()
    alarms: dict[str, AlarmOverride] = Field(default_factory=dict)
    store: Keeping = Keeping()
    audit: AuditTable = AuditTable()
    records: RecordsTable = RecordsTable()
    api: ApiTable = ApiTable()
    people: PeopleTable = PeopleTable()
    caps: CapsTable = CapsTable()
    guard: GuardTable = GuardTable()
    emergency: EmergencyTable = EmergencyTable()
    plan: PlanTable = PlanTable()
    dsx: DsxTable = DsxTable()
    webhook: WebhookTable = WebhookTable()
    writes: WritesTable = WritesTable()
    interlocks: list[InterlockEntry] = Field(default_factory=list)
    scheduler: SchedulerTable = SchedulerTable()

    def sourced(self) -> list[tuple[str, Sourced]]:
        """Every table that carries figures, under its key path."""
        found: list[tuple[str, Sourced]] = []
        for key in type(self).model_fields:
            value: Any = getattr(self, key)
            if isinstance(value, Sourced):
                found.append((key, value))
            elif isinstance(value, list):
                found += [(f"{key}[{n}]", v) for n, v in enumerate(value, 1) if isinstance(v, Sourced)]
        return found
