"""Faults that can be switched on per device, so that an operator may pull a plug on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from igoudar.core.errors import ConfigError


class FaultKind(StrEnum):
    """How a device misbehaves on the wire."""

    DEAD = "dead"  # takes the request, never answers
    SLOW = "slow"  # answers after `delay_s`, within a patient client's timeout
    BUSY = "busy"  # Modbus exception 6, HTTP 503, OPC UA BadResourceUnavailable
    GARBAGE = "garbage"  # an answer that breaks its protocol
    WRONG_UNIT = "wrong_unit"  # another unit id in the answer (Modbus), another host (HTTP)
    LATE = "late"  # answers after `delay_s`, when the client has already given up


DELAYS_S: Mapping[FaultKind, float] = {FaultKind.SLOW: 1.0, FaultKind.LATE: 5.0}


@dataclass(frozen=True, slots=True)
class Fault:
    """One switched-on fault; `delay_s` is wall time."""

    kind: FaultKind
    delay_s: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read "dead", "slow" or "slow:2.5" (kind, and delay in wall seconds).

        Raises:
            ConfigError: for an unknown kind or a delay that is no number of seconds.
        """
        word, _, delay = text.partition(":")
        try:
            kind = FaultKind(word)
            return cls(kind, float(delay) if delay else DELAYS_S.get(kind, 0.0))
        except ValueError as error:
            kinds = ", ".join(FaultKind)
            raise ConfigError(
                f"unknown fault {text!r}", fix=f"use none or one of {kinds}; a delay as slow:2.5"
            ) from error

    def __str__(self) -> str:
        return f"{self.kind}:{self.delay_s:g}" if self.delay_s else str(self.kind)


class FaultBoard:
    """Which device has which fault now; every protocol server asks it before it answers."""

    def __init__(self, devices: Mapping[str, object]) -> None:
        self._devices = devices
        self._active: dict[str, Fault] = {}

    def of(self, device: str) -> Fault | None:
        """The fault of `device`, None when it works."""
        return self._active.get(device)

    def set(self, device: str, fault: str | None) -> None:
        """Switch a fault on ("slow:2"), or off (None or "none").

        Raises:
            ConfigError: for a device or a fault that does not exist.
        """
        if device not in self._devices:
            raise ConfigError("no such device", where=device, fix="see `igoudar devices`")
        if fault is None or fault == "none":
            self._active.pop(device, None)
        else:
            self._active[device] = Fault.parse(fault)

    def load(self, faults: Mapping[str, str]) -> None:
        """Switch on a table of device -> fault."""
        for device, fault in faults.items():
            self.set(device, fault)

    def restore(self, faults: Mapping[str, str]) -> None:
        """Switch on what `active` told before, but for devices that are no longer there."""
        self.load({device: fault for device, fault in faults.items() if device in self._devices})

    def active(self) -> dict[str, str]:
        """All switched-on faults, as `load` takes them."""
        return {device: str(fault) for device, fault in self._active.items()}
