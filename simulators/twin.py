"""The plant and its shadow, stepped together: same inputs and seed, but nobody moves the shadow's jobs."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgpack

from igoudar.core.errors import ConfigError
from igoudar.core.model import Device, Job, Site
from igoudar.simulators.plant.plant import Plant
from igoudar.simulators.plant.resource import Resource
from igoudar.simulators.plant.totals import Totals

SCHEMA = 1
QUARTER_S = 900.0
KEPT_QUARTERS = 192  # 48 h of the run-now line


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plant is built from; a checkpoint fits only the inputs it was taken with."""

    site: Site
    seed: int
    resource: Resource | None = None
    jobs: Sequence[Job] | None = None
    sources: str = ""  # names of the replayed files


class Twin:
    """Plant and shadow at one site time.

    Args:
        plant: What devices and scheduler act on.
        shadow: Run-now: every job starts as soon as it fits.
    """

    def __init__(self, plant: Plant, shadow: Plant) -> None:
        self.plant, self.shadow = plant, shadow
        self.steps = 0
        self.quarters: deque[tuple[float, float]] = deque(maxlen=KEPT_QUARTERS)
        self._quarter_wh = used_wh(shadow.totals)
        self._quarter_from_s = shadow.time_s

    @classmethod
    def fresh(cls, inputs: Inputs, start: datetime, grace_s: float) -> "Twin":
        """Two equal plants at `start`; only in the controlled one a job waits `grace_s` before it starts."""
        plant, shadow = (
            Plant(inputs.site, start, inputs.seed, inputs.resource, inputs.jobs) for _ in range(2)
        )
        plant.cluster.grace_s = grace_s
        return cls(plant, shadow)

    @property
    def now(self) -> datetime:
        """Site time of the last step, UTC."""
        return self.plant.now

    def advance_to(self, now: datetime) -> None:
        """Step both up to `now`, through every quarter of an hour between; never back."""
        end = now.timestamp()
        if end <= self.plant.time_s:
            return
        while self.plant.time_s < end:
            quarter = (self.plant.time_s // QUARTER_S + 1.0) * QUARTER_S
            self._step(min(end, quarter) - self.plant.time_s)
            if self.plant.time_s >= quarter:
                self._close_quarter()
        self.steps += 1

    def values(self, device: Device) -> dict[str, float | None]:
        """Canonical points of a device of the plant."""
        return self.plant.values(device)

    def write(self, device: Device, point: str, value: float) -> None:
        """Let a setpoint act on the plant; the shadow's devices keep their own rules."""
        self.plant.write(device, point, value)

    def submit(self, job: Job) -> None:
        """Take a job in on both sides, so that both have the same work."""
        self.plant.cluster.submit(job)
        self.shadow.cluster.submit(job)

    def _step(self, seconds: float) -> None:
        self.plant.step(seconds)
        self.shadow.step(seconds)

    def _close_quarter(self) -> None:
        used = used_wh(self.shadow.totals)
        seconds = self.shadow.time_s - self._quarter_from_s
        start = round(self.shadow.time_s - QUARTER_S)
        self.quarters.append((start, (used - self._quarter_wh) * 3600.0 / seconds))
        self._quarter_wh, self._quarter_from_s = used, self.shadow.time_s

    def checkpoint(self, inputs: Inputs) -> dict[str, Any]:
        """Everything needed to go on, as plain values."""
        return {
            "site": inputs.site.name,
            "seed": inputs.seed,
            "sources": inputs.sources,
            "plant": self.plant.checkpoint(),
            "shadow": self.shadow.checkpoint(),
            "quarters": list(self.quarters),
            "quarter_wh": self._quarter_wh,
            "quarter_from_s": self._quarter_from_s,
            "time_s": self.plant.time_s,
        }

    @classmethod
    def restore(cls, inputs: Inputs, kept: dict[str, Any]) -> "Twin":
        """Go on where `checkpoint` was taken, on the same inputs."""
        plant, shadow = (
            Plant.restore(inputs.site, kept[side], inputs.resource, inputs.jobs)
            for side in ("plant", "shadow")
        )
        twin = cls(plant, shadow)
        twin.quarters.extend((start, load) for start, load in kept["quarters"])
        twin._quarter_wh, twin._quarter_from_s = kept["quarter_wh"], kept["quarter_from_s"]
        return twin


def used_wh(totals: Totals) -> float:
    """Energy that the campus consumed: facility, desalination, electrolyser [Wh]."""
    return totals.facility + totals.desalination + totals.electrolyser


def fits(inputs: Inputs, kept: dict[str, Any]) -> bool:
    """Whether a checkpoint was taken with these inputs."""
    return (kept["site"], kept["seed"], kept["sources"]) == (inputs.site.name, inputs.seed, inputs.sources)


def kept_until(kept: dict[str, Any]) -> datetime:
    """Site time of a checkpoint, UTC."""
    return datetime.fromtimestamp(kept["time_s"], UTC)


def pack(document: dict[str, Any]) -> bytes:
    """A checkpoint as bytes."""
    packed: bytes = msgpack.packb({"schema": SCHEMA, **document})
    return packed


def unpack(data: bytes, where: str) -> dict[str, Any]:
    """The checkpoint in `data`.

    Raises:
        ConfigError: when it is none, or of another version.
    """
    try:
        document = msgpack.unpackb(data, strict_map_key=False)
        what = "" if document["schema"] == SCHEMA else f"its schema is {document['schema']}, not {SCHEMA}"
    except (ValueError, KeyError, TypeError, msgpack.UnpackException) as error:
        what = f"it can't be read ({error})"
    if what:
        raise ConfigError(what, where=where, fix="remove this file to start the plant afresh")
    return dict(document)
