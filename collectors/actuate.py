"""The guarded write: what the profile and the site allow, checked again just before the wire."""

import logging
import math
from collections.abc import Mapping

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.live import Live
from igoudar.collectors.poll import Station
from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Result, Success
from igoudar.core.clock import Clock
from igoudar.core.model import Point, Setpoint, Writable

LOG = logging.getLogger(__name__)

TOLERANCE = 0.01  # of the value: what a device's own resolution may round
LEAST_STEP = 0.5  # in the point's unit: integers and coarse scale factors


class Actuator:
    """Writes setpoints to devices, or says why not.

    Args:
        stations: Every device by name.
        live: The newest readings: a device that is not heard is not driven.
        clock: Site time.
    """

    def __init__(self, stations: Mapping[str, Station], live: Live, clock: Clock) -> None:
        self._stations, self._live, self._clock = stations, live, clock

    async def write(self, setpoint: Setpoint) -> Result:
        """Check, write and read back one setpoint.

        Where the profile names a reversion timer it is set first, to the setpoint's remaining life; where it
        names an enabling point, that is set last.
        """
        result = self._refusal(setpoint) or await self._carry_out(setpoint)
        LOG.info("%s %s=%s: %s", setpoint.device, setpoint.point, setpoint.value, result)
        return result

    def _refusal(self, setpoint: Setpoint) -> Rejected | OutOfBounds | None:
        station = self._stations.get(setpoint.device)
        if station is None:
            return Rejected("unknown_device")
        point = station.profile.points.get(setpoint.point)
        if point is None:
            return Rejected("unknown_point")
        if point.writable is None:
            return Rejected("read_only")
        if setpoint.point not in station.device.allow:
            return Rejected("not_allowed")
        return self._untimely(setpoint) or _out_of_bounds(setpoint.value, point.writable)

    def _untimely(self, setpoint: Setpoint) -> Rejected | None:
        if setpoint.expires_at <= self._clock.now():
            return Rejected("expired")
        reading = self._live.reading(setpoint.device)
        return Rejected("no_telemetry") if reading is None or reading.gap is not None else None

    async def _carry_out(self, setpoint: Setpoint) -> Result:
        station = self._stations[setpoint.device]
        point = station.profile.points[setpoint.point]
        assert point.writable is not None  # noqa: S101 - checked in _refusal
        try:
            await self._set_timer(station, point.writable, setpoint)
            await station.reader.write(point, setpoint.value, lambda: None)
            held = await station.reader.ask(point)
        except LinkFault as fault:
            return Error(str(fault))
        if held is None or not _same(held, setpoint.value):
            return Error(f"{point.name} reads back as {held} instead of {setpoint.value:g}")
        return await self._enable(station, point.writable, held)

    async def _set_timer(self, station: Station, rules: Writable, setpoint: Setpoint) -> None:
        if not rules.reversion:
            return
        timer = station.profile.points[rules.reversion]
        life_s = (setpoint.expires_at - self._clock.now()).total_seconds()
        most_s = timer.writable.maximum if timer.writable else 65534.0
        await station.reader.write(timer, float(math.ceil(min(max(life_s, 1.0), most_s))), lambda: None)

    async def _enable(self, station: Station, rules: Writable, held: float) -> Result:
        if not rules.enable:
            return Success(held)
        switch: Point = station.profile.points[rules.enable]
        try:
            await station.reader.write(switch, 1.0, lambda: None)
            if await station.reader.ask(switch) == 1.0:
                return Success(held)
            return Partial(held, f"{switch.name} did not take 1")
        except LinkFault as fault:
            return Partial(held, f"{switch.name}: {fault}")


def _out_of_bounds(value: float, rules: Writable) -> Rejected | OutOfBounds | None:
    if not math.isfinite(value):
        return Rejected("not_a_number")
    if not rules.minimum <= value <= rules.maximum:
        return OutOfBounds(rules.minimum, rules.maximum)
    return None


def _same(held: float, asked: float) -> bool:
    return math.isclose(held, asked, rel_tol=TOLERANCE, abs_tol=LEAST_STEP)
