"""From wishes to commands, in the order in which they must be carried out. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.demand_response.levers import Wishes
from igoudar.control.demand_response.memory import WISH, Memory
from igoudar.control.demand_response.units import unit_points
from igoudar.core.model import Device, Kind, Site

LIFE_S, LIFE_WALL_S = 60.0, 30.0  # a command that is not on its way by then is dropped
HOLD_S, HOLD_WALL_S = 180.0, 30.0  # how long a setpoint stands without being refreshed
REFRESH = 0.55  # of its hold after which a setpoint is sent again; the guard takes no renewal before half
SAME = 1e-6  # rounding is no change
Slot = tuple[str, str]
"""Device and point."""
CAP_POINT = "power_limit_w"  # of a power shelf; an agent shares it out among its node's GPUs


@dataclass(frozen=True, slots=True)
class Batch:
    """Commands in steps: what takes load off first, setpoints of devices, then what puts load on."""

    first: tuple[Command, ...] = ()
    setpoints: tuple[Command, ...] = ()
    then: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Mandate:
    """For which event commands are sent, and who stands behind it."""

    event_id: str
    approved_by: tuple[str, ...] = ()


@dataclass(slots=True)
class Orders:
    """Names commands, and leaves out setpoints that stand already."""

    site: Site
    speed: float
    config_version: str = ""
    _sent: dict[Slot, tuple[float, datetime]] = field(default_factory=dict)
    _owed: dict[Slot, tuple[float, datetime]] = field(default_factory=dict)  # to give back
    _count: int = 0

    def batch(
        self, wishes: Wishes, memory: Memory, mandate: Mandate, now: datetime, *, setpoints: bool = True
    ) -> Batch:
        """What follows from the wishes of one cycle; setpoints that stand are refreshed in time."""
        self._owe(wishes, memory, now)
        desk = _Desk(self, mandate, now)
        jobs = ActuatorClass.JOBS
        first = [
            *(desk.verb(delay.job_id, "delay", delay.until) for delay in wishes.delays),
            *(desk.verb(pause.job_id, "suspend", pause.resume_by) for pause in wishes.pauses),
        ]
        devices = desk.devices(wishes, memory) if setpoints else ()
        verbs = [(job_id, "resume") for job_id in wishes.resumes]
        verbs += [(job_id, "release") for job_id in wishes.releases]
        then = [desk.command(jobs, job_id, verb) for job_id, verb in verbs]
        return Batch(tuple(first), tuple(devices), tuple(then))

    def due(self, target: str, point: str, value: float, now: datetime, least: float) -> bool:
        """Whether a setpoint must be sent: it changed, or its hold runs out."""
        known = self._sent.get((target, point))
        if known is not None:
            fresh = (now - known[1]).total_seconds() < REFRESH * self.hold_s
            if fresh and abs(known[0] - value) <= least:
                return False
        self._sent[(target, point)] = (value, now)
        return True

    def _owe(self, wishes: Wishes, memory: Memory, now: datetime) -> None:
        """A battery that is let go is told so until it has heard it, or its hold has ended by itself."""
        if wishes.battery_w is not None:
            self._owed.clear()
        elif memory.battery_w is not None:
            ends = now + timedelta(seconds=self.hold_s)
            for device in _batteries(self.site):
                for point, value in unit_points(device, None, self.site.battery.power_w):
                    self._owed[(device.name, point)] = (value, ends)
        self._owed = {slot: owed for slot, owed in self._owed.items() if owed[1] > now}

    def owed(self) -> Sequence[tuple[Slot, float]]:
        """What batteries must be given back."""
        return [(slot, value) for slot, (value, _) in self._owed.items()]

    def arrived(self, target: str, point: str, value: float | None) -> None:
        """A setpoint stands: if it was one that is given back, it is."""
        if (target, point) in self._owed and self._owed[(target, point)][0] == value:
            del self._owed[(target, point)]

    def forget(self, target: str, point: str) -> None:
        """It did not arrive: the next cycle sends it again."""
        self._sent.pop((target, point), None)

    def forget_all(self) -> None:
        """Nobody knows what stands: everything is sent again."""
        self._sent.clear()

    @property
    def hold_s(self) -> float:
        """How long a setpoint stands."""
        return max(HOLD_S, HOLD_WALL_S * self.speed)

    def next_id(self, event_id: str, now: datetime) -> str:
        """A name that no other command has, in this life of the process or in another."""
        self._count += 1
        return f"{event_id}-{now.timestamp():.0f}-{self._count}"


@dataclass(frozen=True, slots=True)
class _Desk:
    orders: Orders
    mandate: Mandate
    now: datetime

    def verb(self, job_id: str, verb: str, until: datetime) -> Command:
        return self.command(ActuatorClass.JOBS, job_id, verb, until=until)

    def setpoint(self, actuator: ActuatorClass, target: str, point: str, value: float) -> Command:
        return self.command(actuator, target, point, value=value, life_s=self.orders.hold_s)

    def devices(self, wishes: Wishes, memory: Memory) -> Iterator[Command]:
        yield from self.battery(wishes.battery_w, memory)
        yield from self.limits(ActuatorClass.CAPS, {**memory.caps, **wishes.caps})
        yield from self.limits(ActuatorClass.LOADS, {**memory.loads, **wishes.loads})

    def limits(self, actuator: ActuatorClass, limits: Mapping[str, float]) -> Iterator[Command]:
        for target, limit_w in limits.items():
            point = CAP_POINT if actuator is ActuatorClass.CAPS else "limit_w"
            if self.orders.due(target, point, limit_w, self.now, 0.0):
                yield self.setpoint(actuator, target, point, limit_w)

    def battery(self, wish_w: float | None, memory: Memory) -> Iterator[Command]:
        """The same share of every unit's power; let go where nothing is wished any more."""
        if wish_w is None:
            yield from self.let_go()
            return
        rated_w = self.orders.site.battery.power_w
        for device in _batteries(self.orders.site):
            if device.name in memory.refused:
                continue
            for point, value in unit_points(device, wish_w, rated_w):
                if self.orders.due(device.name, point, value, self.now, SAME):
                    found = self.setpoint(ActuatorClass.BATTERY, device.name, point, value)
                    yield replace(found, params={**found.params, WISH: wish_w})

    def let_go(self) -> Iterator[Command]:
        """Units that have not heard yet that they are free."""
        for (name, point), value in self.orders.owed():
            if self.orders.due(name, point, value, self.now, SAME):
                yield self.setpoint(ActuatorClass.BATTERY, name, point, value)

    def command(
        self,
        actuator: ActuatorClass,
        target: str,
        point: str,
        *,
        value: float | None = None,
        until: datetime | None = None,
        life_s: float = 0.0,
    ) -> Command:
        life_s = life_s or max(LIFE_S, LIFE_WALL_S * self.orders.speed)
        return Command(
            self.orders.next_id(self.mandate.event_id, self.now),
            actuator,
            target,
            point,
            self.now,
            self.now + timedelta(seconds=life_s),
            Origin.EVENT,
            "control",
            f"events.{point}",
            {"event": self.mandate.event_id},
            value,
            until,
            config_version=self.orders.config_version,
            approved_by=self.mandate.approved_by,
        )


def _batteries(site: Site) -> Sequence[Device]:
    return [device for device in site.devices if device.kind is Kind.BATTERY]
