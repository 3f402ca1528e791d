"""The collector as a whole: links, polls, store, live picture and socket under one roof."""

import asyncio
import logging
import resource
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from igoudar.collectors.actuate import Actuator
from igoudar.collectors.endpoints import read_endpoints
from igoudar.collectors.gate import Gate
from igoudar.collectors.heartbeat import Heart, heartbeat
from igoudar.collectors.inspector import Inspector
from igoudar.collectors.keep import Sees, nobody
from igoudar.collectors.keeping import SPOOL, keeping_metrics, open_keeper, spool_folder, store_metrics
from igoudar.collectors.links import Links, build
from igoudar.collectors.live import MISSED_POLLS, Live
from igoudar.collectors.mandate import Mandate
from igoudar.collectors.opcua_door import Doors
from igoudar.collectors.poll import Station, Tally, period_s, phases, poll
from igoudar.collectors.renewal import Renewal
from igoudar.collectors.self_metrics import (
    Lag,
    clock_metrics,
    gap_metrics,
    health_metrics,
    link_metrics,
)
from igoudar.collectors.serve import Hands, Server
from igoudar.collectors.slow import slow_rules
from igoudar.core.clock import Clock
from igoudar.core.errors import ConfigError
from igoudar.core.model import Profile, Reading, Site
from igoudar.core.store.protocol import TelemetryStore

LOG = logging.getLogger(__name__)

SOCKET = "collect.sock"
ENDPOINTS = "endpoints.json"
LOOK_S = 1.0  # wall: between looks at the endpoints file


class Moved(Exception):  # noqa: N818 - ends a round of polling, and is no error
    """The devices answer elsewhere now."""

    def __init__(self, endpoints: Mapping[str, str]) -> None:
        super().__init__()
        self.endpoints = endpoints


class Collector:
    """Everything that outlives a change of endpoints."""

    def __init__(
        self,
        site: Site,
        profiles: Mapping[str, Profile],
        clock: Clock,
        store: TelemetryStore,
        state: Path,
        acknowledged: Sees = nobody,
    ) -> None:
        periods = {d.name: clock.speed * period_s(profiles[d.profile], clock.speed) for d in site.devices}
        self.live = Live(clock, periods, slow_rules(site.devices, profiles, MISSED_POLLS))
        self.tally = Tally()
        self.stations: dict[str, Station] = {}
        self.links, self._doors = Links(), Doors(site.opcua, state)
        self._site, self._profiles, self._clock, self._store = site, profiles, clock, store
        mandate = Mandate(state)
        self.gate = Gate(site, self.stations, self.live, clock, mandate, state)
        self.actuator = Actuator(self.stations, self.gate, clock, state)
        self.renewal, self.heart = Renewal(self.actuator), Heart(self.gate, self.actuator.holds)
        inspector = Inspector(self.stations, clock)
        hands = Hands(self.actuator.write, mandate.take, self.gate.set_hands_off)
        self.server = Server(self.live.snapshot, self.metrics, hands, inspector)
        self.lag = Lag(clock, acknowledged)
        self.keeper = open_keeper(
            store, state / SPOOL, site.spool, tell=self.server.publish, acknowledged=self.lag
        )

    def take(self, reading: Reading) -> None:
        """Where every reading goes."""
        self.live.put(reading)
        self.keeper.put(reading)

    async def collect(self, endpoints: Mapping[str, str], moved: Path | None) -> None:
        """Poll all devices until cancelled.

        Raises:
            ExceptionGroup: of Moved, when the endpoints file `moved` names other addresses.
        """
        self.links = build(
            self._site.devices,
            self._profiles,
            endpoints,
            self._clock.speed,
            self._doors,
            self._site.tls,
            self._site.redfish,
        )
        if self.links.unprotected and not self._site.network:
            LOG.warning(
                "%d devices are read over plain Modbus TCP: use modbus-tls:// where they have it, or name "
                "the segmented network as `network` in [links] of the site file",
                len(self.links.unprotected),
            )
        self.stations.clear()
        self.stations.update({station.device.name: station for station in self.links.stations})
        self.gate.settle()
        try:
            async with asyncio.TaskGroup() as group:
                for work in self.links.background():
                    group.create_task(work())
                for station, phase in zip(self.links.stations, phases(len(self.stations)), strict=True):
                    name = station.device.name
                    group.create_task(poll(station, phase, self.take, self._clock, self.tally), name=name)
                    if heartbeat(station) is not None:
                        group.create_task(self.heart.beat(station))
                group.create_task(self.renewal.run())
                if moved is not None:
                    group.create_task(_watch(moved, endpoints))
        finally:
            await self.links.close()

    def metrics(self) -> dict[str, float]:
        """The collector's own figures."""
        totals = self.live.totals
        return {
            "collector_devices": len(self.stations),
            "collector_devices_answering": self.live.answering,
            "collector_readings_total": totals.readings,
            "collector_gaps_total": totals.gaps,
            "collector_points_total": totals.points,
            **gap_metrics(self.live),
            **health_metrics(self.stations, self.live),
            **self.actuator.metrics(),
            "collector_heartbeats_total": self.heart.beats,
            "collector_lag_s": self.lag.seconds,
            **keeping_metrics(self.keeper, self._site.spool),
            **store_metrics(self._store),
            "collector_overruns_total": self.tally.overruns,
            "collector_surprises_total": self.tally.surprises,
            **link_metrics(self.links),
            **clock_metrics(self.stations),
            "collector_subscribers": self.server.subscribers,
            "collector_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


async def run(
    site: Site,
    profiles: Mapping[str, Profile],
    endpoints: Mapping[str, str],
    clock: Clock,
    store: TelemetryStore,
    state: Path,
    *,
    ready: Callable[[], None] | None = None,
    acknowledged: Sees = nobody,
) -> None:
    """Collect until cancelled; what was read by then is on disk before this returns.

    Args:
        site: The site; `endpoints` replaces the addresses of its devices, by name.
        profiles: By name.
        endpoints: Device name -> address.
        clock: Site time.
        store: Appended to; the caller closes it.
        state: The folder of `spool/`, `collect.sock` and of the `endpoints.json` that is watched for changes.
        ready: Called once the socket answers.
        acknowledged: Called with every batch of readings once it is on disk.

    Raises:
        ConfigError: an address, a profile or the socket that can't be used.
        StoreError: the spool can't be opened.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(spool_folder(state))
        collector = Collector(site, profiles, clock, store, state, acknowledged)
        stack.callback(collector.actuator.close)
        await stack.enter_async_context(collector.server.listening(state / SOCKET))
        keeping = asyncio.create_task(collector.keeper.run(), name="keeper")
        try:
            if ready is not None:
                ready()
            await _rounds(collector, endpoints, state / ENDPOINTS, keeping)
        finally:
            keeping.cancel()
            await asyncio.wait((keeping,))
            if not keeping.cancelled():
                keeping.result()


async def _rounds(
    collector: Collector, endpoints: Mapping[str, str], file: Path, keeping: "asyncio.Task[None]"
) -> None:
    """Collect at `endpoints`, then wherever the file says, until the keeper ends."""
    watched = file if endpoints else None
    while not keeping.done():
        polling = asyncio.create_task(collector.collect(endpoints, watched), name="polling")
        try:
            await asyncio.wait((polling, keeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            try:
                if not polling.done():
                    await collector.renewal.stop()  # while there are links: what we set is given back
            finally:
                polling.cancel()
                await asyncio.wait((polling,))
        endpoints = _outcome(polling) or endpoints


def _outcome(polling: "asyncio.Task[None]") -> Mapping[str, str] | None:
    """Where the devices moved to, None when the round was cancelled; anything else is raised."""
    error = None if polling.cancelled() else polling.exception()
    if isinstance(error, BaseExceptionGroup):
        matched, rest = error.split(Moved)
        if rest is None and matched is not None and isinstance(moved := matched.exceptions[0], Moved):
            LOG.info("the devices answer elsewhere now: %d addresses", len(moved.endpoints))
            return moved.endpoints
    if error is not None:
        raise error
    return None


async def _watch(file: Path, endpoints: Mapping[str, str]) -> None:
    """Raise Moved when the file, once it has changed, names other addresses."""
    seen = _changed(file)
    while True:
        await asyncio.sleep(LOOK_S)
        now = _changed(file)
        if now == seen:
            continue
        seen = now
        try:
            devices = read_endpoints(file).devices
        except ConfigError as error:
            LOG.warning("%s", error)
            continue
        if dict(devices) != dict(endpoints):
            raise Moved(devices)


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
