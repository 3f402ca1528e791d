"""What every protocol offers the poll loop: read a device, write one of its points."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from igoudar.core.model import Point, Quality, Reason


class Values(NamedTuple):
    """One answer of a device: values that count, and flags of every point that is not good."""

    values: Mapping[str, float]
    flags: Mapping[str, tuple[Quality, Reason]]
    source_at: datetime | None = None


class Reader(Protocol):
    """One device on one link."""

    async def read(self, *, slow: bool) -> Values:
        """The device's points, those of the slow period too when `slow`.

        Raises:
            LinkFault: nothing was read, and why.
        """
        ...

    async def write(self, point: Point, value: float) -> float:
        """Write a point and read it back; returns what the device then holds, in the point's unit.

        Raises:
            LinkFault: the write is not known to have happened.
        """
        ...
