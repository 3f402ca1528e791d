"""The poll loop: every device at its own phase, each alone with its troubles."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from igoudar.collectors.faults import Backoff, LinkFault
from igoudar.collectors.quality import Memory
from igoudar.collectors.readers import Reader
from igoudar.core.clock import Clock
from igoudar.core.model import Device, Gap, Profile, Reading, Reason

LOG = logging.getLogger(__name__)

SHORTEST_PERIOD_S = 1.0  # wall
FIRST_WITHIN_S = 2.0  # wall: the first poll of a device does not wait for a long period's phase
LONGEST_REST_S = 15.0  # wall: how long a device that never answers may be left alone
TICK_S = 0.02  # wall
GOLDEN = 0.6180339887498949  # multiples of it spread evenly over [0, 1), however many there are

Sink = Callable[[Reading], None]


@dataclass(slots=True)
class Station:
    """A device with its profile, its link and what has to be remembered of it between polls."""

    device: Device
    profile: Profile
    reader: Reader
    backoff: Backoff = field(default_factory=lambda: Backoff(longest_s=LONGEST_REST_S))
    last_fault: LinkFault | None = None
    memory: Memory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = Memory(self.profile)


@dataclass(slots=True)
class Tally:
    """What the loop counts of itself."""

    overruns: int = 0  # polls that were skipped because the one before took too long
    surprises: int = 0  # exceptions that no link should raise


def period_s(profile: Profile, speed: float) -> float:
    """Wall seconds between two polls of a device of this profile."""
    return max(profile.period_s / speed, SHORTEST_PERIOD_S)


def slow_turns(profile: Profile, speed: float) -> int:
    """How many turns of the device its slow points take for one."""
    return max(1, round(profile.slow_period_s / max(profile.period_s, speed * SHORTEST_PERIOD_S)))


def phases(count: int) -> Iterable[float]:
    """`count` phases in [0, 1), each neighbour far from the last."""
    return (i * GOLDEN % 1.0 for i in range(count))


async def poll(station: Station, phase: float, sink: Sink, clock: Clock, tally: Tally) -> None:
    """Read one device at its phase of the period until cancelled."""
    loop = asyncio.get_running_loop()
    every_s = period_s(station.profile, clock.speed)
    slow_every_s = every_s * slow_turns(station.profile, clock.speed)
    due = slow_due = _on_tick(loop.time() + phase * every_s)
    await asyncio.sleep(phase * min(every_s, FIRST_WITHIN_S))
    while True:
        slow = due > slow_due - every_s / 2
        reading = await read_once(station, clock, tally, slow=slow)
        sink(reading)
        if reading.gap is not None:
            slow_due = due  # whatever was read before is not known any more
        elif slow:
            slow_due = due + slow_every_s
        began, due = due, _next_due(due, every_s, loop.time())
        tally.overruns += round((due - began) / every_s) - 1
        await asyncio.sleep(due - loop.time())


async def read_once(station: Station, clock: Clock, tally: Tally, *, slow: bool = True) -> Reading:
    """Read a device once; whatever happens becomes a reading, a dead wire a gap and never a number."""
    loop, name = asyncio.get_running_loop(), station.device.name
    if station.last_fault is not None and not station.backoff.due(loop.time()):
        return Reading(clock.now(), name, {}, gap=station.last_fault.gap())
    try:
        answer = await station.reader.read(slow=slow)
    except LinkFault as fault:
        return _gap(station, clock, fault)
    except Exception as error:  # noqa: BLE001 - one device's surprise must not end the others' polls
        tally.surprises += 1
        LOG.warning("reading %s raised %r", name, error)
        return _gap(station, clock, LinkFault(Reason.MALFORMED, repr(error)))
    station.backoff.succeeded()
    station.last_fault = None
    at = clock.now()
    return Reading(at, name, *station.memory.judge(answer, at))


def _gap(station: Station, clock: Clock, fault: LinkFault) -> Reading:
    """Only silence earns a rest: it costs its link a whole timeout each time."""
    if fault.reason is Reason.TIMEOUT:
        station.backoff.failed(asyncio.get_running_loop().time())
        station.last_fault = fault
    station.memory.silence()
    return Reading(clock.now(), station.device.name, {}, gap=Gap(fault.reason, str(fault)))


def _on_tick(at_s: float) -> float:
    """Devices of one tick are asked in one turn of the loop: on a large site half the price of one by one."""
    return math.ceil(at_s / TICK_S) * TICK_S


def _next_due(due_s: float, every_s: float, now_s: float) -> float:
    """The first turn after `due_s` that lies ahead; missed ones are skipped, so that polls never pile up."""
    return due_s + every_s * max(1, math.ceil((now_s - due_s) / every_s))
