"""What control tells the collector each cycle: whose the plant is, for how long, and what it may do to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from igoudar.collectors.wire import pack_time, unpack_time

OBSERVE, ADVISE, AUTO = "observe", "advise", "auto"

LONGEST_WRITE_S = 10.0
"""Wall: a write that passed its checks is on the wire, or given up, within this; a takeover waits as long."""


class Hold(NamedTuple):
    """A person's hold on one point (an override), until a site time."""

    target: str  # device
    point: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Authority:
    """The right to have plant written to, as control has it.

    Durations and instants are of CLOCK_MONOTONIC, which all processes of one host share. It ends `lease_s`
    after the collector received it, or at `deadline_s` if that is earlier: what a process sends that had been
    stopped meanwhile comes too late by itself.
    """

    epoch: int  # of the lease; a lower one than was ever seen is refused
    holder: str
    lease_s: float
    modes: Mapping[str, str] = field(default_factory=dict)  # actuator class -> mode; one that lacks: observe
    overrides: Sequence[Hold] = ()
    cycle: int = 0  # of the control loop; the heartbeat to the plant goes on only while it advances
    deadline_s: float | None = None


def pack_authority(authority: Authority) -> dict[str, Any]:
    """An authority as a plain map."""
    return {
        "epoch": authority.epoch,
        "holder": authority.holder,
        "lease_s": authority.lease_s,
        "modes": dict(authority.modes),
        "overrides": [[hold.target, hold.point, pack_time(hold.until)] for hold in authority.overrides],
        "cycle": authority.cycle,
        "deadline_s": authority.deadline_s,
    }


def unpack_authority(packed: Mapping[str, Any]) -> Authority:
    """The inverse of `pack_authority`.

    Raises:
        KeyError, TypeError, ValueError: what came is none.
    """
    deadline_s = packed["deadline_s"]
    return Authority(
        epoch=int(packed["epoch"]),
        holder=str(packed["holder"]),
        lease_s=float(packed["lease_s"]),
        modes={str(name): str(mode) for name, mode in dict(packed["modes"]).items()},
        overrides=tuple(Hold(str(t), str(p), unpack_time(until)) for t, p, until in packed["overrides"]),
        cycle=int(packed["cycle"]),
        deadline_s=None if deadline_s is None else float(deadline_s),
    )
