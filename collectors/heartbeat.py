"""The heartbeat to the plant: counts on while the control loop turns, not merely while a process lives."""

import asyncio
import logging

from igoudar.collectors.authority import AUTO
from igoudar.collectors.checks.ground import class_of
from igoudar.collectors.faults import LinkFault, Withheld
from igoudar.collectors.gate import Gate
from igoudar.collectors.holds import Holds
from igoudar.collectors.poll import Station
from igoudar.collectors.results import Rejected
from igoudar.core.model import Point

LOG = logging.getLogger(__name__)

BEAT_S = 1.0  # wall; SunSpec 715 and 802: "incremented every second by the controller"


class Heart:
    """Beats for the devices that want it and that the site lets us write.

    Args:
        gate: Whether hands are on, the authority valid and the plant looked at.
        holds: What we have set: in a mode that asks people, only what they approved makes us beat.
    """

    def __init__(self, gate: Gate, holds: Holds) -> None:
        self.beats = 0
        self._gate, self._holds = gate, holds

    async def beat(self, station: Station) -> None:
        """Count one device's heartbeat on, second by second, until cancelled."""
        point = heartbeat(station)
        while point is not None:
            if self.may_beat(station):
                await self._once(station, point)
            await asyncio.sleep(BEAT_S)

    def may_beat(self, station: Station) -> bool:
        """Whether this device should think at this moment that control lives."""
        mandate = self._gate.mandate
        if self._gate.hands_off or not self._gate.settled or not mandate.turning:
            return False
        name = station.device.name
        return mandate.mode(class_of(station.device)) == AUTO or bool(self._holds.of(name))

    async def _once(self, station: Station, point: Point) -> None:
        def permit() -> None:
            if not self.may_beat(station):
                raise Withheld(Rejected("no_authority"))

        try:
            shown = await station.reader.ask(point)
            if shown is None or point.writable is None:
                return  # the device has no such register
            following = shown + 1.0 if shown < point.writable.maximum else 0.0
            await station.reader.write(point, following, permit)
            self.beats += 1
        except LinkFault as fault:
            LOG.debug("no heartbeat to %s: %s", station.device.name, fault)
        except Exception as error:  # noqa: BLE001 - one device must not end the others
            LOG.error("no heartbeat to %s: %r", station.device.name, error)


def heartbeat(station: Station) -> Point | None:
    """The point that we count on for this device, None where it has none or the site does not allow it."""
    name = station.profile.remote.heartbeat
    return station.profile.points[name] if name and name in station.device.allow else None
