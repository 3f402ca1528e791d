"""One device read now, on request: the same links, outside the poll's rhythm."""

from collections.abc import Mapping
from typing import Any

from igoudar.collectors.dump import dump
from igoudar.collectors.faults import LinkFault
from igoudar.collectors.poll import Station
from igoudar.collectors.snapshot import LiveRead
from igoudar.core.clock import Clock
from igoudar.core.errors import ConfigError
from igoudar.core.model import Reading
from igoudar.core.strict_toml import nearest


class Inspector:
    """Reads and records single devices.

    Args:
        stations: Every device by name.
        clock: Site time.
    """

    def __init__(self, stations: Mapping[str, Station], clock: Clock) -> None:
        self._stations, self._clock = stations, clock

    async def read(self, device: str) -> LiveRead:
        """All points of a device; what goes wrong on the wire is in the reading's gap.

        Raises:
            ConfigError: no such device.
        """
        station = self._station(device)
        try:
            answer = await station.reader.read(slow=True)
        except LinkFault as fault:
            return LiveRead(station.profile.name, Reading(self._clock.now(), device, {}, gap=fault.gap()))
        reading = Reading(self._clock.now(), device, answer.values, answer.flags, answer.source_at)
        return LiveRead(station.profile.name, reading)

    async def record(self, device: str) -> dict[str, Any]:
        """What a device answers, raw and decoded; see `dump`.

        Raises:
            ConfigError: no such device.
            LinkFault: it gave no values.
        """
        station = self._station(device)
        return await dump(station.profile, station.reader)

    def _station(self, device: str) -> Station:
        station = self._stations.get(device)
        if station is None:
            raise ConfigError("no such device", where=device, fix=nearest(device, self._stations, "device"))
        return station
