"""Prometheus text endpoints, such as NVIDIA's DCGM exporter: one device per endpoint.

Source: Prometheus text exposition format 0.0.4.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import httpx

from igoudar.collectors import codec
from igoudar.collectors.faults import LinkFault
from igoudar.collectors.readers import Values
from igoudar.core.model import MetricAddress, Point, Profile, Quality, Reason

FOLDS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "mean": lambda samples: sum(samples) / len(samples),
    "max": max,
    "min": min,
    "count": len,
}


def parse(text: str) -> Mapping[str, list[float]]:
    """Samples by metric name; NaN samples are left out.

    Raises:
        ValueError: a line that is neither a comment nor a sample.
    """
    samples = sorted(_samples(text), key=lambda sample: sample[0])
    return {
        name: [value for _, value in group if value == value]
        for name, group in groupby(samples, key=lambda sample: sample[0])
    }


def _samples(text: str) -> Iterator[tuple[str, float]]:
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield _sample(stripped)


def _sample(line: str) -> tuple[str, float]:
    brace = line.find("{")
    if brace < 0:
        name, _, rest = line.partition(" ")
    else:
        name, rest = line[:brace], line[_labels_end(line, brace) :]
    fields = rest.split()
    if not name or not 1 <= len(fields) <= 2:
        raise ValueError(f"not a sample: {line[:80]!r}")
    return name.strip(), float(fields[0])


def _labels_end(line: str, brace: int) -> int:
    """Where the labels end: a quoted value may itself hold braces, and escaped quotes."""
    quoted = escaped = False
    for position in range(brace + 1, len(line)):
        character = line[position]
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "}" and not quoted:
            return position + 1
    raise ValueError(f"labels without an end: {line[:80]!r}")


def fold(point: Point, samples: Mapping[str, list[float]]) -> codec.Decoded:
    """One point out of all samples of its metric."""
    address = point.address
    assert isinstance(address, MetricAddress), point.name  # noqa: S101 - the profile's protocol says so
    found = samples.get(address.metric)
    if not found:
        return None, Quality.BAD, Reason.MISSING
    return codec.from_raw(point, FOLDS[address.fold](found))


class PrometheusReader:
    """Scrapes one endpoint."""

    def __init__(self, profile: Profile, client: httpx.AsyncClient, url: str) -> None:
        self._profile, self._client, self._url = profile, client, url

    async def read(self, *, slow: bool) -> Values:
        """See Reader; an exporter has no slow points."""
        del slow
        samples = await self._scrape()
        decoded = {name: fold(point, samples) for name, point in self._profile.points.items()}
        values = {name: value for name, (value, _, _) in decoded.items() if value is not None}
        if not values:
            raise LinkFault(Reason.MISSING, "none of the profile's metrics is there", where=self._url)
        return Values(values, {name: (q, r) for name, (_, q, r) in decoded.items() if q is not Quality.GOOD})

    async def write(self, point: Point, value: float) -> float:
        """An exporter can't be written to."""
        raise LinkFault(
            Reason.EXCEPTION, f"{point.name}={value}: an exporter takes no writes", where=self._url
        )

    async def _scrape(self) -> Mapping[str, list[float]]:
        try:
            answer = await self._client.get(self._url)
        except httpx.TimeoutException as error:
            raise LinkFault(Reason.TIMEOUT, "no answer in time", where=self._url) from error
        except httpx.ConnectError as error:
            raise LinkFault(Reason.NO_CONNECTION, f"can't connect ({error})", where=self._url) from error
        except httpx.HTTPError as error:
            raise LinkFault(Reason.MALFORMED, f"not HTTP ({error})", where=self._url) from error
        return self._samples(answer)

    def _samples(self, answer: httpx.Response) -> Mapping[str, list[float]]:
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise LinkFault(Reason.BUSY, "the exporter is busy (HTTP 503)", where=self._url)
        if answer.status_code != httpx.codes.OK:
            raise LinkFault(Reason.EXCEPTION, f"HTTP {answer.status_code}", where=self._url)
        try:
            return parse(answer.text)
        except ValueError as error:
            raise LinkFault(Reason.MALFORMED, str(error), where=self._url) from error


def http_client(timeout_s: float = 3.0) -> httpx.AsyncClient:
    """A client for all endpoints of a site; proxies of the environment do not apply to a plant network."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=256)
    return httpx.AsyncClient(timeout=timeout_s, limits=limits, trust_env=False, follow_redirects=False)
