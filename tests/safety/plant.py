"""A small plant behind a recorded wire, with the collector's guarded write before it; time waits."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from igoudar.collectors import codec, sunspec
from igoudar.collectors.actuate import Actuator
from igoudar.collectors.authority import Authority, Hold
from igoudar.collectors.blocks import address_of
from igoudar.collectors.gate import Gate
from igoudar.collectors.heartbeat import Heart
from igoudar.collectors.links import Links, build
from igoudar.collectors.live import Live
from igoudar.collectors.mandate import Mandate
from igoudar.collectors.poll import Station, Tally, read_once
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.renewal import Renewal
from igoudar.collectors.results import Result
from igoudar.core.clock import ManualClock
from igoudar.core.model import BatteryBank, Device, Point, Profile, Setpoint, Site, Writable
from igoudar.core.model_writes import Interlock, WriteRules
from tests.collectors.rigs import SCALE_FACTOR, START, device, image

from .recorder import Recorder, recording

PROFILES = load_profiles()
INVERTER, BATTERY, CDU, CHILLER = (
    PROFILES[name] for name in ("sunspec-inverter", "sunspec-battery", "generic-cdu", "daikin-microtech-iii")
)
UNITS = {"inverter": 1, "battery": 2, "cdu": 3, "chiller": 4}
SETTLE_S = 3.0
AUTO = dict.fromkeys(("battery", "curtailment", "cooling", "loads", "caps"), "auto")

SHOWN: Mapping[str, Mapping[str, float]] = {
    "inverter": {"active_power_w": 250.0, "frequency_hz": 50.0, "limit_pct": 100.0, "limit_revert_s": 0.0,
                 "limit_enabled_state": 0.0, "operating_state": 4.0},
    "battery": {"soc_pct": 50.0, "heartbeat_count": 7.0, "controller_heartbeat_count": 41.0,
                "local_state": 0.0, "storage_mode_state": 0.0, "discharge_rate_pct": 100.0,
                "charge_rate_pct": 100.0, "rate_revert_s": 0.0, "active_power_w": 0.0},
    "cdu": {"supply_c": 30.0, "flow_lpm": 500.0, "setpoint_c": 30.0},
    "chiller": {"enable_state": 0.0, "flow_state": 1.0, "alarm_count": 0.0, "units_state": 1.0},
}  # fmt: skip


def products(**changes: Profile) -> dict[str, Profile]:
    """The profile of each device."""
    return {"inverter": INVERTER, "battery": BATTERY, "cdu": CDU, "chiller": CHILLER} | changes


def with_rules(profile: Profile, name: str, **rules: object) -> Profile:
    """The profile with other rules for writing one point."""
    point = profile.points[name]
    assert point.writable is not None
    changed = replace(point, writable=replace(point.writable, **rules))  # type: ignore[arg-type]
    return replace(profile, points={**profile.points, name: changed})


class Seconds:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Plant:
    """The collector's writing half, and what it reached."""

    recorder: Recorder
    site: Site
    profiles: Mapping[str, Profile]  # by device
    state: Path
    clock: ManualClock
    wall: Callable[[], float]  # monotonic
    epoch: int = 1
    cycle: int = 0
    made: int = 0
    links: Links = field(default_factory=Links)
    stations: dict[str, Station] = field(default_factory=dict)

    def start(self) -> None:
        """Begin, or begin anew as after a restart: only what is on disk is known."""
        by_name = {profile.name: profile for profile in self.profiles.values()}
        self.links = build(self.site.devices, by_name, {}, self.clock.speed)
        self.stations = {station.device.name: station for station in self.links.stations}
        self.live = Live(self.clock, dict.fromkeys(self.stations, 20.0))
        self.mandate = Mandate(self.state, self.wall)
        self.gate = Gate(self.site, self.stations, self.live, self.clock, self.mandate, self.state, self.wall)
        self.actuator = Actuator(self.stations, self.gate, self.clock, self.state, self.wall)
        self.renewal, self.heart = Renewal(self.actuator), Heart(self.gate, self.actuator.holds)

    async def restart(self) -> None:
        """Killed and started again, with a control process that took the lease anew."""
        await self.close()
        self.epoch += 1
        self.start()

    async def close(self) -> None:
        """End as a killed process would: nothing is given back."""
        self.actuator.close()
        await self.links.close()

    async def look(self) -> None:
        """Poll every device once."""
        for station in self.stations.values():
            self.live.put(await read_once(station, self.clock, Tally()))

    async def ready(self, **authority: object) -> None:
        """Look, settle, and have the authority to write."""
        await self.look()
        self.wait(SETTLE_S)
        self.grant(**authority)  # type: ignore[arg-type]

    def wait(self, seconds: float) -> None:
        """Let wall time pass."""
        assert isinstance(self.wall, Seconds)
        self.wall.now_s += seconds

    def grant(
        self,
        epoch: int | None = None,
        modes: Mapping[str, str] = AUTO,
        lease_s: float = 30.0,
        overrides: Sequence[Hold] = (),
        *,
        turn: bool = True,
    ) -> None:
        """What control says each cycle."""
        self.cycle += turn
        self.epoch = self.epoch if epoch is None else epoch
        self.mandate.take(Authority(self.epoch, "test", lease_s, modes, overrides, self.cycle))

    async def pass_s(self, seconds: float, *, turn: bool = True) -> None:
        """Let time pass at speed 1, then poll; control turns once, unless it is dead."""
        self.clock.advance(seconds)
        self.wait(seconds)
        if turn:
            self.grant()
        await self.look()

    def wish(
        self, point: str, value: float, device: str = "inverter", life_s: float = 300.0, **rest: object
    ) -> Setpoint:
        """A setpoint with an id of its own."""
        self.made += 1
        fields = {"command_id": f"c{self.made}", "expires_at": self.clock.now() + timedelta(seconds=life_s)}
        return Setpoint(device=device, point=point, value=value, **(fields | rest))  # type: ignore[arg-type]

    async def write(self, point: str, value: float, device: str = "inverter", **rest: object) -> Result:
        """Ask for a setpoint."""
        return await self.actuator.write(self.wish(point, value, device, **rest))  # type: ignore[arg-type]

    def place(self, device: str, point: str) -> tuple[int, int]:
        """Unit and address of a point."""
        profile = self.profiles[device]
        return UNITS[device], address_of(profile.points[point], sunspec.locate(profile))

    def show(self, device: str, point: str, value: float | None) -> None:
        """Change what a device holds."""
        unit, address = self.place(device, point)
        data = codec.encode(self.profiles[device].points[point], value, SCALE_FACTOR)
        for i in range(0, len(data), 2):
            self.recorder.units[unit][address + i // 2] = int.from_bytes(data[i : i + 2])

    def held(self, device: str, point: str) -> float | None:
        """What a device holds."""
        unit, address = self.place(device, point)
        words = self.recorder.units[unit]
        size = codec.width(self.profiles[device].points[point])
        data = b"".join(words.get(address + i, 0).to_bytes(2) for i in range(size))
        return codec.decode(self.profiles[device].points[point], data, SCALE_FACTOR)[0]

    @property
    def wrote(self) -> list[tuple[str, float | None]]:
        """Every write that reached a device, as (point, value), in order."""
        points = {
            self.place(device, point.name): point
            for device, profile in self.profiles.items()
            for point in profile.points.values()
            if point.writable
        }
        return [_told(points[t.unit, t.address], t.words) for t in self.recorder.written]


def _told(point: Point, words: Sequence[int]) -> tuple[str, float | None]:
    data = b"".join(word.to_bytes(2) for word in words)
    return point.name, codec.decode(point, data, SCALE_FACTOR)[0]


def no_timer(rules: Writable) -> bool:
    """Whether the site must acknowledge that a point stays as written."""
    return not rules.reversion


def devices(port: int, profiles: Mapping[str, Profile]) -> tuple[Device, ...]:
    """Every device; each may be written wherever its profile says so."""
    made = []
    for name, profile in profiles.items():
        writable = {p.name: p.writable for p in profile.points.values() if p.writable}
        made.append(
            device(
                name,
                profile,
                f"modbus-tcp://127.0.0.1:{port}/{UNITS[name]}",
                allow=frozenset(writable),
                no_reversion=frozenset(n for n, rules in writable.items() if no_timer(rules)),
            )
        )
    return tuple(made)


@asynccontextmanager
async def plant(
    state: Path,
    locks: Sequence[Interlock] = (),
    wall: Callable[[], float] | None = None,
    **changes: Profile,
) -> AsyncIterator[Plant]:
    """A plant that was not looked at yet."""
    state.mkdir(exist_ok=True)
    profiles = products(**changes)
    units = {UNITS[name]: image(profile, SHOWN[name]) for name, profile in profiles.items()}
    async with recording(units) as recorder:
        site = Site(
            "s", "S", 0.0, 0.0, 0.0, "UTC", (), (), (), devices(recorder.port, profiles),
            battery=BatteryBank(1e6, 1e6), writes=WriteRules(SETTLE_S), interlocks=tuple(locks),
        )  # fmt: skip
        running = Plant(recorder, site, profiles, state, ManualClock(START), wall or Seconds())
        running.start()
        try:
            yield running
        finally:
            await running.close()
