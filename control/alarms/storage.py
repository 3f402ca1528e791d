"""Whether what is read is also kept, from the collector's own figures. Pure."""

from collections.abc import Iterator, Mapping

from igoudar.control.alarms.watch import Conditions, Signal, standing
from igoudar.control.picture import Picture

STORE_DOWN_S = 30.0  # wall: a restart of the store is no alarm
FULL_SHARE = 0.9
QUIET_S = 600.0  # site time without a loss until the alarm returns

Figures = Mapping[str, float]


def storage(site: str, picture: Picture, before: Figures, conditions: Conditions) -> Iterator[Signal]:
    """The store that takes nothing, the spool that is full, readings that the store refuses for ever.

    Args:
        site: Name of the site, the alarms' source.
        picture: With the collector's figures; without them nothing is known and nothing changes.
        before: The figures of the cycle before, empty at first: then every loss counts as new.
        conditions: As they are.
    """
    now = picture.collector
    if not now:
        return
    down_s = now.get("collector_store_down_s", 0.0)
    yield standing("store_down", site, 2, down_s > STORE_DOWN_S, picture.at, conditions, {"down_s": down_s})
    lost = _grown("collector_dropped_readings_total", now, before)
    params: dict[str, object] = {
        "used_pct": 100.0 * _used(now),
        "dropped": round(now.get("collector_dropped_readings_total", 0.0)),
    }
    full = _used(now) >= FULL_SHARE or now.get("collector_spool_refuses", 0.0) > 0
    yield standing(
        "spool_full", site, 1, full or lost > 0, picture.at, conditions, params, off_delay_s=QUIET_S
    )
    refused = _grown("collector_quarantined_readings_total", now, before)
    count: dict[str, object] = {"count": round(now.get("collector_quarantined_readings_total", 0.0))}
    yield standing(
        "readings_refused", site, 2, refused > 0, picture.at, conditions, count, off_delay_s=QUIET_S
    )


def _used(figures: Figures) -> float:
    limit = figures.get("collector_spool_limit_bytes", 0.0)
    return figures.get("collector_spool_bytes", 0.0) / limit if limit > 0 else 0.0


def _grown(name: str, now: Figures, before: Figures) -> float:
    """How much a counter grew; a collector that restarted counts from 0 again."""
    grown = now.get(name, 0.0) - before.get(name, 0.0)
    return grown if grown >= 0 else now.get(name, 0.0)
