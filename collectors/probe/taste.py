"""A few registers of each map first: a device is not read whole through every profile there is."""

from collections.abc import Sequence

from igoudar.collectors import codec
from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.probe.found import Fit, fit, weight
from igoudar.collectors.readers import Values
from igoudar.collectors.spans import Span, value_span
from igoudar.core.model import ModbusAddress, Point, Profile, Quality, Reason

BITES = 3
LEAST = 0.5


class Taste:
    """Tries the most telling points of profiles on one unit; each register is asked for once."""

    def __init__(self, link: ModbusLink, unit: int) -> None:
        self._link, self._unit = link, unit
        self._answers: dict[Span, bytes | None] = {}

    async def likes(self, profile: Profile) -> bool:
        """Whether a fixed map's most telling points read plausibly.

        Raises:
            LinkFault: the connection is lost.
        """
        points = _telling(profile)
        tasted = [(point, await self._read(value_span(point, {}))) for point in points]
        return _fit(profile, tasted).score >= LEAST

    async def _read(self, span: Span) -> bytes | None:
        """The registers, None where the device refuses them or says nothing."""
        if span not in self._answers:
            try:
                self._answers[span] = await self._link.read(self._unit, *span)
            except DeviceFault:
                self._answers[span] = None
            except LinkFault as fault:
                if fault.reason is Reason.NO_CONNECTION:
                    raise
                self._answers[span] = None
        return self._answers[span]


def _telling(profile: Profile) -> Sequence[Point]:
    """Points whose register alone says what it holds, those with the narrowest range first."""
    alone = [p for p in profile.points.values() if isinstance(p.address, ModbusAddress) and not _scaled(p)]
    return sorted(alone or profile.points.values(), key=lambda point: -weight(point))[:BITES]


def _scaled(point: Point) -> bool:
    return isinstance(point.address, ModbusAddress) and point.address.scale_factor is not None


def _fit(profile: Profile, tasted: Sequence[tuple[Point, bytes | None]]) -> Fit:
    values: dict[str, float] = {}
    flags: dict[str, tuple[Quality, Reason]] = {}
    for point, data in tasted:
        decoded: codec.Decoded = (None, Quality.BAD, Reason.EXCEPTION)
        value, quality, reason = decoded if data is None else codec.decode(point, data, 0)
        if value is None:
            flags[point.name] = (quality, reason)
        else:
            values[point.name] = value
    return fit(profile, Values(values, flags), [point.name for point, _ in tasted])
