"""Prometheus text endpoints, such as NVIDIA's DCGM exporter: one device per endpoint.

Source: Prometheus text exposition format 0.0.4.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from igoudar.collectors import codec
from igoudar.collectors.faults import LinkFault
from igoudar.collectors.http_link import HttpLink
from igoudar.collectors.readers import Permit, Values
from igoudar.core.model import MetricAddress, Point, Profile, Quality, Reason

FOLDS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "mean": lambda samples: sum(samples) / len(samples),
    "max": max,
    "min": min,
    "count": len,
}


LINE = re.compile(
    rb"^(?:([A-Za-z_:][\w:]*)(?:[ \t]*\{.*\}[ \t]*|[ \t]+)([-+.0-9A-Za-z]+)(?:[ \t]+-?\d+)?[ \t]*\r?"
    rb"|[ \t\r]*(?:#.*)?|(.*))$",
    re.MULTILINE,
)
"""A sample's name and value, a comment, or in the third group what is neither.

A value holds no brace, so that the last one ends the labels, whatever is quoted within them.
"""


def parse(text: bytes) -> Mapping[bytes, list[float]]:
    """Samples by metric name; NaN samples are left out.

    Raises:
        ValueError: a line that is neither a comment nor a sample.
    """
    samples: dict[bytes, list[float]] = {}
    for name, text_value, broken in LINE.findall(text):
        if broken:
            raise ValueError(f"not a sample: {broken[:80]!r}")
        if name and (value := float(text_value)) == value:
            samples.setdefault(name, []).append(value)
    return samples


def fold(point: Point, samples: Mapping[bytes, list[float]]) -> codec.Decoded:
    """One point out of all samples of its metric."""
    address = point.address
    assert isinstance(address, MetricAddress), point.name  # noqa: S101 - the profile's protocol says so
    found = samples.get(address.metric.encode())
    if not found:
        return None, Quality.BAD, Reason.MISSING
    return codec.from_raw(point, FOLDS[address.fold](found))


class PrometheusReader:
    """Scrapes one endpoint over a connection of its own."""

    def __init__(self, profile: Profile, link: HttpLink) -> None:
        self._profile, self._link, self._url = profile, link, link.url

    async def read(self, *, slow: bool) -> Values:
        """See Reader; an exporter has no slow points."""
        del slow
        return self.decode(await self.samples())

    def decode(self, samples: Mapping[bytes, list[float]]) -> Values:
        """The profile's points in a page's samples.

        Raises:
            LinkFault: none of them is there.
        """
        decoded = {name: fold(point, samples) for name, point in self._profile.points.items()}
        values = {name: value for name, (value, _, _) in decoded.items() if value is not None}
        if not values:
            raise LinkFault(Reason.MISSING, "none of the profile's metrics is there", where=self._url)
        return Values(values, {name: (q, r) for name, (_, q, r) in decoded.items() if q is not Quality.GOOD})

    async def ask(self, point: Point) -> float | None:
        """See Reader."""
        return self.decode(await self.samples()).values.get(point.name)

    async def write(self, point: Point, value: float, permit: Permit) -> float:
        """An exporter can't be written to."""
        raise LinkFault(
            Reason.EXCEPTION, f"{point.name}={value}: an exporter takes no writes", where=self._url
        )

    async def samples(self) -> Mapping[bytes, list[float]]:
        """All samples of the page, without their labels.

        Raises:
            LinkFault: no page, or not such a page.
        """
        body = await self._link.get()
        try:
            return parse(body)
        except ValueError as error:
            raise LinkFault(Reason.MALFORMED, str(error), where=self._url) from error
