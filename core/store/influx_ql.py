"""InfluxQL in pieces: every name and text that comes from a site file is quoted here."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from igoudar.core.store.rows import to_us

_DEVICES_A_QUERY = 200
_MOST_NS = 2**63 - 2  # InfluxDB's times end in 2262


def select(columns: Iterable[str], measurement: str, where: str, tail: str = "") -> str:
    """A query for columns, or for all fields where none is named."""
    wanted = ", ".join(name(column) for column in columns) or "*"
    return f"SELECT {wanted} FROM {name(measurement)} WHERE {where} {tail}"  # noqa: S608 - quoted, all of it


def newest(by: Iterable[str] = ()) -> str:
    """The tail of a query for the last row, of each group if tags are named."""
    groups = ", ".join(name(tag) for tag in by)
    return f"{groups and f'GROUP BY {groups} '}ORDER BY time DESC LIMIT 1"


def of_site(site: str) -> str:
    """The condition for rows of one site."""
    return f'"site" = {text(site)}'


def of_devices(site: str, devices: Sequence[str]) -> Iterator[str]:
    """Conditions for rows of some devices of a site, few enough for one query each."""
    for begin in range(0, len(devices), _DEVICES_A_QUERY):
        some = [f'"device" = {text(device)}' for device in devices[begin : begin + _DEVICES_A_QUERY]]
        yield f"{of_site(site)} AND ({' OR '.join(some)})"


def between(start: datetime, end: datetime) -> str:
    """The condition for rows in [start, end)."""
    first_ns, last_ns = (max(-_MOST_NS, min(_MOST_NS, to_us(at) * 1000)) for at in (start, end))
    return f"time >= {first_ns} AND time < {last_ns}"


def name(identifier: str) -> str:
    """A measurement, tag or field."""
    return '"' + identifier.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text(value: str) -> str:
    """A string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
