"""The collector's and our own figures in Prometheus' text format.

Source: Prometheus text exposition format 0.0.4.
"""

from collections.abc import Iterable, Mapping

from igoudar.control.api.figures import COLLECTOR, CONTROL, Figure, counter, gauge
from igoudar.control.schema import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "collector_"
Family = dict[str, float]  # labels, as `{label="value"}` or "", -> value


def exposition(status: Status | None, collector: Mapping[str, float]) -> str:
    """All figures, by family; nothing that a stranger should not know."""
    families: dict[Figure, Family] = {}
    for key, value in collector.items():
        name, brace, labels = key.partition("{")
        found = figure(name)
        families.setdefault(found, {})[brace + labels] = value * found.factor
    if status is not None:
        families |= {found: {"": float(getattr(status, field))} for field, found in CONTROL.items()}
    return "".join(_family(found, families[found]) for found in sorted(families))


def figure(name: str) -> Figure:
    """The family of a collector's figure; one that is not described gets the plainest description."""
    short = name.removeprefix(PREFIX)
    if short in COLLECTOR:
        return COLLECTOR[short]
    words = short.removesuffix("_total").replace("_", " ")
    make = counter if short.endswith("_total") else gauge
    return make(PREFIX + short.removesuffix("_total"), f"The collector's {words}.")


def _family(found: Figure, samples: Family) -> str:
    lines = [f"# HELP {found.name} {found.help}", f"# TYPE {found.name} {found.type}"]
    return "".join(f"{line}\n" for line in (*lines, *_samples(found.name, samples)))


def _samples(name: str, samples: Family) -> Iterable[str]:
    return (f"{name}{labels} {_number(value)}" for labels, value in sorted(samples.items()))


def _number(value: float) -> str:
    """Exact: a counter must not lose its last digits."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
