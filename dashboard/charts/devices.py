"""Device health: how many answer well, and the list by age."""

from collections import Counter
from html import escape

from igoudar.control.schema import Devices, DeviceView, QualityWord
from igoudar.dashboard.charts.marks import empty_panel
from igoudar.dashboard.charts.tables import Column, Markup, Row, table
from igoudar.dashboard.words import NONE, Words

SHOWN = 150
QUALITIES: tuple[QualityWord, ...] = ("good", "uncertain", "stale", "bad", "off")
_COLUMNS = (
    Column("device"),
    Column("quality"),
    Column("age", figure=True),
    Column("last_value"),
    Column("kind"),
    Column("hall"),
    Column("profile"),
    Column("address"),
)


def count_parts(devices: Devices | None, words: Words) -> list[tuple[str, str]]:
    """(quality, markup) of the counts; the first says how many answer."""
    if devices is None:
        return [("answering", _count("answering", None, "", words))]
    counts = Counter(device.quality for device in devices.devices)
    total = f"/ {len(devices.devices)}"
    answering = ("answering", _count("answering", devices.answering, total, words))
    return [answering, *((q, _count(f"quality_{q}", counts[q], "", words)) for q in QUALITIES)]


def _count(key: str, value: int | None, more: str, words: Words) -> str:
    grey = " ig-none" if value is None else ""
    shown = NONE if value is None else str(value)
    return (
        f'<div class="ig-tile plain{grey}" role="group"><h3>{words.html(key)}</h3>'
        f"<p><b>{shown}</b><span>{escape(more)}</span></p></div>"
    )


def device_list(devices: Devices | None, words: Words) -> str:
    """All devices, never heard first, then oldest."""
    if devices is None:
        return empty_panel(words("sources"), words)
    oldest = sorted(devices.devices, key=_oldest_first)
    rows = [_row(device, devices, words) for device in oldest[:SHOWN]]
    total = len(oldest)
    count = str(total) if total <= SHOWN else words("first_of", shown=SHOWN, total=total)
    return table(words("sources"), count, _COLUMNS, rows, words)


def _oldest_first(device: DeviceView) -> tuple[bool, float, str]:
    age_s = float("inf") if device.age_s is None else device.age_s
    return device.quality == "good", -age_s, device.name


def _row(device: DeviceView, devices: Devices, words: Words) -> Row:
    quality = escape(words.known("quality", device.quality))
    gap = f" · {escape(words.known('gap', device.gap))}" if device.gap else ""
    return Row(
        [
            device.name,
            Markup(f'<span class="ig-quality q-{device.quality}">{quality}</span>{gap}'),
            words.duration(device.age_s),
            words.moment(device.last_at, devices.time),
            words.known("kind", device.kind),
            device.hall or NONE,
            device.profile,
            device.address,
        ]
    )
