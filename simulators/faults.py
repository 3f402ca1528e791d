"""Faults that can be switched on per device, so that an operator may pull a plug on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from igoudar.core.errors import ConfigError


class FaultKind(StrEnum):
    """How a device misbehaves on the wire; those below `LATE` are Modbus only (see modbus_faults)."""

    DEAD = "dead"  # takes the request, never answers
    SLOW = "slow"  # answers after `delay_s`, within a patient client's timeout
    BUSY = "busy"  # Modbus exception 6, HTTP 503, OPC UA BadResourceUnavailable
    GARBAGE = "garbage"  # an answer that breaks its protocol
    WRONG_UNIT = "wrong_unit"  # another unit id in the answer (Modbus), another host (HTTP)
    LATE = "late"  # answers after `delay_s`, when the client has already given up
    EXCEPTION = "exception"  # exception `number` to everything; 10 and 11 are a gateway's
    WRONG_TRANSACTION = "wrong_transaction"  # ids are off by `number`, always
    WRONG_FUNCTION = "wrong_function"  # another function code in the answer
    WRONG_LENGTH = "wrong_length"  # `number` registers fewer than asked for, in a sound frame
    SPLIT = "split"  # the answer comes in pieces of `number` bytes
    MERGED = "merged"  # the answer comes with a copy of itself
    HANG_UP = "hang_up"  # closes the connection instead of answering
    SENTINEL = "sentinel"  # every register holds `number`: "not implemented"
    UNSETTLED = "unsettled"  # so for `delay_s` after each connect
    HURRIED = "hurried"  # silent to requests within `delay_s` of its last answer or of the connect
    NARROW = "narrow"  # exception 3 to reads of more than `number` registers
    HOLE = "hole"  # exception 2 to reads that touch register `number`
    ONE_CLIENT = "one_client"  # closes a second connection to its host
    FROZEN = "frozen"  # answers for ever what it answered first
    ZERO = "zero"  # every register reads 0: counters after a reset


DELAYS_S: Mapping[FaultKind, float] = {
    FaultKind.SLOW: 1.0,
    FaultKind.LATE: 5.0,
    FaultKind.UNSETTLED: 2.0,
    FaultKind.HURRIED: 0.025,
}
NUMBERS: Mapping[FaultKind, int] = {
    FaultKind.EXCEPTION: 4,
    FaultKind.WRONG_TRANSACTION: 1,
    FaultKind.WRONG_LENGTH: 1,
    FaultKind.SPLIT: 1,
    FaultKind.SENTINEL: 0xFFFF,
    FaultKind.NARROW: 60,
    FaultKind.HOLE: 0,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One switched-on fault; `delay_s` is wall time, `number` is what its kind counts in."""

    kind: FaultKind
    delay_s: float = 0.0
    number: int = 0

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read "dead", "slow" or "slow:2.5" (a delay in wall seconds), "exception:2" or "sentinel:0x8000".

        Raises:
            ConfigError: for an unknown kind, or what follows the colon is no such number.
        """
        word, _, rest = text.partition(":")
        try:
            kind = FaultKind(word)
            if kind in NUMBERS:
                return cls(kind, number=int(rest, 0) if rest else NUMBERS[kind])
            return cls(kind, float(rest) if rest else DELAYS_S.get(kind, 0.0))
        except ValueError as error:
            fix = f"use none or one of {', '.join(FaultKind)}; a delay as slow:2.5, a number as exception:2"
            raise ConfigError(f"unknown fault {text!r}", fix=fix) from error

    def __str__(self) -> str:
        if self.kind in NUMBERS:
            return f"{self.kind}:{self.number}"
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
