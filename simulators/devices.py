"""The firmware of simulated devices: remembered registers, enables and reversion timers on site time."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from igoudar.core.errors import ConfigError
from igoudar.core.model import Device, Profile
from igoudar.core.units import unit_of

# Registers of a product that no physics moves.
_FIXED: Mapping[str, float] = {
    "units_state": 1.0,  # Daikin MicroTech III: 1 = degrees Celsius
    "local_state": 0.0,  # SunSpec LocRemCtl: 0 = remote
    "flow_state": 1.0,  # Daikin MicroTech III: 1 = water flows
}


class ValueSource(Protocol):
    """What firmware needs of the plant behind it."""

    @property
    def now(self) -> datetime:
        """Site time that the values belong to, UTC."""
        ...

    def values(self, device: Device) -> dict[str, float | None]:
        """Canonical points of `device`, each in the unit of its suffix."""
        ...

    def write(self, device: Device, point: str, value: float) -> None:
        """Let a setpoint act on the physics."""
        ...


class Firmware:
    """One device between its protocol and the plant.

    Args:
        device: Which.
        profile: Its product.
        plant: Where its values come from and its setpoints go.
        floor_s: The shortest time a reversion timer runs, site time [s].
    """

    def __init__(self, device: Device, profile: Profile, plant: ValueSource, floor_s: float) -> None:
        self.device, self.profile = device, profile
        self._plant, self._floor_s = plant, floor_s
        self.writable = {p.name: p.writable for p in profile.points.values() if p.writable}
        self._timers = {rules.reversion for rules in self.writable.values()} | {profile.remote.heartbeat}
        self._held: dict[str, float] = {}
        self._factory: dict[str, float] = {}
        self._due: dict[str, datetime] = {}

    def values(self) -> dict[str, float | None]:
        """Every point now; what was written reads back as written until it reverts."""
        values = {**_FIXED, **self._plant.values(self.device)}
        for name in self.writable:
            if values.get(name) is None:
                values[name] = self._default(name)
        values.update(self._held)
        return values

    def write(self, point: str, value: float) -> None:
        """Take a setpoint and restart the reversion timer that guards it, where the device has one.

        Raises:
            ConfigError: for a point that can't be written.
        """
        if point not in self.writable:
            raise ConfigError(f"{point} can't be written", where=self.device.name)
        if point not in self._factory:
            before = self.values().get(point)
            self._factory[point] = self._default(point) if before is None else before
        self._apply(point, value)
        for guarded in self._guarded_by(point):
            self._arm(guarded)

    def revert_due(self, now: datetime) -> None:
        """Give up every setpoint whose reversion timer has run out at `now`."""
        for point in [p for p, due in self._due.items() if due <= now]:
            del self._due[point]
            rules = self.writable[point]
            self._apply(point, self._factory[point])
            if rules.enable:
                bits = int(self._held.get(rules.enable, 0.0))
                self._apply(rules.enable, float(bits & ~rules.enable_bit))

    def next_due(self) -> datetime | None:
        """When the next reversion timer runs out, None while none runs."""
        return min(self._due.values(), default=None)

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep, as plain values."""
        due = {point: at.isoformat() for point, at in self._due.items()}
        return {"held": self._held, "factory": self._factory, "due": due}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` kept; points that the profile no longer has are dropped."""
        for name, kept in (("held", self._held), ("factory", self._factory)):
            kept.update({point: float(v) for point, v in state[name].items() if point in self.writable})
        due = {point: datetime.fromisoformat(at) for point, at in state["due"].items()}
        self._due.update({point: at for point, at in due.items() if point in self.writable})

    def _apply(self, point: str, value: float) -> None:
        if point not in self._timers:  # timers are the firmware's own business
            self._plant.write(self.device, point, value)
        self._held[point] = value

    def _guarded_by(self, written: str) -> list[str]:
        """The setpoints whose timer a write to `written` restarts: its own, or those it enables."""
        return [n for n, rules in self.writable.items() if rules.reversion and written in (n, rules.enable)]

    def _arm(self, point: str) -> None:
        rules = self.writable[point]
        seconds = self._held.get(rules.reversion, 0.0)
        enabled = not rules.enable or int(self._held.get(rules.enable, 0.0)) & rules.enable_bit != 0
        if enabled and seconds > 0 and point in self._held:
            self._due[point] = self._plant.now + timedelta(seconds=max(seconds, self._floor_s))
        else:
            self._due.pop(point, None)

    def _default(self, point: str) -> float:
        """A writable register that the plant has no value for: switches and timers off, setpoints open."""
        rules = self.writable[point]
        return max(rules.minimum, 0.0) if unit_of(point) in ("s", "state", "count") else rules.maximum


class Firmwares:
    """The firmware of every writable device of a site, by device name; the others keep nothing."""

    def __init__(self, firmwares: Iterable[Firmware]) -> None:
        self._by_name = {f.device.name: f for f in firmwares if f.writable}

    def __getitem__(self, device: str) -> Firmware:
        return self._by_name[device]

    def next_due(self) -> datetime | None:
        """When the next reversion timer runs out, None while none runs."""
        return min((due for f in self._by_name.values() if (due := f.next_due())), default=None)

    def revert_due(self, now: datetime) -> None:
        """Let every reversion timer that has run out at `now` act."""
        for firmware in self._by_name.values():
            firmware.revert_due(now)

    def state(self) -> dict[str, Any]:
        """All states, for a checkpoint."""
        return {name: firmware.state() for name, firmware in self._by_name.items()}

    def restore(self, states: Mapping[str, Any]) -> None:
        """Take up the states of the devices that still exist."""
        for name, state in states.items():
            if name in self._by_name:
                self._by_name[name].restore(state)
