"""What a policy sees at one step and what it answers; every policy, the oracle included, is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from igoudar.control.planning.table import Fleet, Floats, Integers, JobTable

STEP_S = 900.0


@dataclass(frozen=True, slots=True)
class Band:
    """A forecast's quantiles per step [W]."""

    p10_w: Floats
    p50_w: Floats
    p90_w: Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was expected at `issued_s` for the steps from there on; index 0 is the step that begins then."""

    issued_s: float
    pv: Band
    wind: Band
    urgent: Band
    arrivals_gpu_s: Floats  # flexible work expected to be submitted per step
    pue: Floats
    notes: tuple[tuple[str, Mapping[str, object]], ...] = ()  # (code, params): fallbacks, never silent


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A limit in time that is known beforehand: an announced event's; seconds as in `View.now_s`."""

    meter: str  # IMPORT: the grid's, FACILITY: IT with its overhead
    start_s: float
    end_s: float
    limit_w: float


IMPORT, FACILITY = METERS = ("import", "facility")


@dataclass(frozen=True, slots=True)
class Cooling:
    """How far the cooling may give way; the tank in the electricity that makes its cold."""

    per_k: float  # of IT power, saved by each K of warmer supply
    warmer_k: float  # from the setpoint that the PUE is given at to the envelope's end
    least_pue: float  # fans and pumps: nothing saves more
    ramp_k_per_h: float = 20.0
    tank_wh: float = 0.0
    tank_w: float = 0.0  # each way
    loss_per_h: float = 0.0

    @property
    def most_ratio(self) -> float:
        """Of IT power, saved at the envelope's end."""
        return self.per_k * self.warmer_k


@dataclass(frozen=True, slots=True)
class CoolingOrder:
    """One step of it."""

    warmer_k: float = 0.0
    tank_w: float = 0.0  # positive = cold is taken out


@dataclass(frozen=True, slots=True)
class Limits:
    """What does not change within a run: ratings, prices [per MWh and per MW of peak], efficiencies."""

    gpus: int
    gpu_w: float  # IT power of one running GPU
    it_cap_w: float
    import_limit_w: float
    export_limit_w: float
    battery_wh: float = 0.0
    battery_w: float = 0.0
    efficiency: float = 0.95  # each way, on the AC side
    soc_min_wh: float = 0.0
    soc_max_wh: float = 0.0
    price_per_mwh: float = 60.0
    export_price_per_mwh: float = 0.0
    peak_price_per_mw: float = 0.0  # of each period's highest 15-min import
    desalination_w: float = 0.0
    desalination_daily_wh: float = 0.0
    electrolyser_w: float = 0.0
    electrolyser_daily_wh: float = 0.0
    charge_due_wh: float = 0.0  # at the period's end; what lacks is billed as import
    ramp_w: float = float("inf")  # change of site power between steps
    reserve_w: float = 0.0  # kept in the battery, or in load that can wait, for wind-ramp error
    reserve_share: float = 0.0  # of what the wind forecast may be short (P50 less P10); the larger counts
    cap_curve: tuple[tuple[float, float], ...] = ()  # (power, throughput) from the lowest cap up; () = none
    cooling: Cooling | None = None  # None = the overhead is as it is
    ceilings: bool = False  # limits in time may be told: the program has room for them


@dataclass(frozen=True, slots=True)
class View:
    """What is known when a step begins: the past, the present, and forecasts; never the future itself."""

    step: int
    now_s: float
    time: datetime  # UTC
    period_end_s: float  # the billing period ends
    limits: Limits
    jobs: JobTable
    fleet: Fleet
    active: Integers  # rows of jobs that wait or run
    pv_w: float
    wind_w: float
    urgent_w: float
    pue: float
    soc_wh: float
    peak_import_w: float  # highest import of the period so far
    desalinated_wh: float = 0.0  # today
    electrolysed_wh: float = 0.0  # today
    forecast: Forecast | None = None
    ceilings: tuple[Ceiling, ...] = ()  # known by now and not over
    warmer_k: float = 0.0  # of the supply, as it stands
    tank_wh: float = 0.0  # cold held, in the electricity that made it

    @property
    def gpus_by_power(self) -> int:
        """GPUs that may run under the IT cap beside the urgent load."""
        free_w = self.limits.it_cap_w - self.urgent_w
        return max(0, min(self.limits.gpus, int(free_w / self.limits.gpu_w + 1e-9)))


@dataclass(frozen=True, slots=True)
class Why:
    """The reason for one job's or one step's decision: a code of the catalogue and its parameters."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Orders:
    """What to do in this step. `None` leaves a device to its own local rule."""

    run: Integers  # rows of the jobs that run
    battery_w: float | None = None  # positive = discharge
    desalination_w: float | None = None
    electrolyser_w: float | None = None
    power_ratio: Floats | None = None  # per job of `run` its cap over full power; None = no caps
    cooling: CoolingOrder | None = None  # None = the setpoint stands, the tank rests
    job_reasons: Mapping[int, Why] = field(default_factory=dict)
    step_reasons: tuple[Why, ...] = ()
    solve_s: float | None = None  # time of the solver, None when nothing was solved


class Policy(Protocol):
    """Decides one step at a time; it may remember its last plan."""

    name: str

    def decide(self, view: View) -> Orders:
        """What runs in the step that begins now."""
        ...
