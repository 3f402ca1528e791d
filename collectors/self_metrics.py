"""What the collector measures of itself beside its counts: gaps by cause, health by kind, lag.

A name may carry labels as in Prometheus' text format: `name{label="value"}`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from igoudar.collectors.keep import Sees
from igoudar.collectors.links import Links
from igoudar.collectors.live import Live
from igoudar.collectors.poll import Station
from igoudar.core.clock import Clock
from igoudar.core.model import Reading


class Lag:
    """How long the oldest reading of the last batch took from its receipt to the disk (wall) [s].

    Args:
        clock: Site time, which stamps readings.
        also: Called with every batch after it was measured.
    """

    def __init__(self, clock: Clock, also: Sees) -> None:
        self.seconds = 0.0
        self._clock, self._also = clock, also

    def __call__(self, batch: Sequence[Reading]) -> None:
        """A batch is on disk."""
        if batch:
            oldest = min(reading.at for reading in batch)
            self.seconds = max(0.0, (self._clock.now() - oldest).total_seconds() / self._clock.speed)
        self._also(batch)


def gap_metrics(live: Live) -> dict[str, float]:
    """Readings without values, by cause."""
    return {
        f'collector_gaps_by_cause_total{{cause="{reason.name.lower()}"}}': count
        for reason, count in sorted(live.gap_causes.items())
    }


def link_metrics(links: Links) -> dict[str, float]:
    """Connections, sessions and what came late or skewed over them."""
    return {
        "collector_connections_total": sum(link.generation for link in links.modbus),
        "collector_late_answers_total": sum(link.late for link in links.modbus),
        "collector_opcua_sessions_total": sum(session.sessions for session in links.opcua),
        "collector_opcua_changes_total": sum(session.changes for session in links.opcua),
        "collector_opcua_polled_servers": sum(session.polled for session in links.opcua),
        "collector_opcua_skew_s": _worst(session.skew.seconds for session in links.opcua),
    }


def clock_metrics(stations: Mapping[str, Station]) -> dict[str, float]:
    """The worst clock of a device."""
    clocks = [station.memory.clock for station in stations.values()]
    return {
        "collector_clock_offset_s": _worst(clock.offset_s for clock in clocks),
        "collector_clock_drift_ppm": _worst(clock.drift_ppm for clock in clocks),
    }


def _worst(figures: Iterable[float | None]) -> float:
    return max((figure or 0.0 for figure in figures), key=abs, default=0.0)


def health_metrics(stations: Mapping[str, Station], live: Live) -> dict[str, float]:
    """Devices of each kind, those that answer, and points of theirs that are not good."""
    devices, answering, flagged = Counter[str](), Counter[str](), Counter[str]()
    for name, station in stations.items():
        kind, reading = str(station.device.kind), live.reading(name)
        devices[kind] += 1
        answering[kind] += reading is not None and reading.gap is None
        flagged[kind] += len(reading.flags) if reading is not None else 0
    counts = {"devices": devices, "devices_answering": answering, "points_not_good": flagged}
    return {
        f'collector_kind_{name}{{kind="{kind}"}}': count
        for name, counter in counts.items()
        for kind, count in sorted(counter.items())
    }
