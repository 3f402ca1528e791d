"""What every protocol offers: read a device in the poll loop, read or write one point of it at any time."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from igoudar.core.model import Point, Quality, Reason


class Values(NamedTuple):
    """One answer of a device: values that count, and flags of every point that is not good."""

    values: Mapping[str, float]
    flags: Mapping[str, tuple[Quality, Reason]]
    source_at: datetime | None = None


Permit = Callable[[], None]
"""Asked just before a write leaves, after everything that had to be waited for; raises Withheld for "no"."""


class Reader(Protocol):
    """One device on one link."""

    async def read(self, *, slow: bool) -> Values:
        """The device's points, those of the slow period too when `slow`.

        Raises:
            LinkFault: nothing was read, and why.
        """
        ...

    async def ask(self, point: Point) -> float | None:
        """One point, read from the device now; None where the device says that it has no such value.

        Raises:
            LinkFault: it was not read.
        """
        ...

    async def write(self, point: Point, value: float, permit: Permit) -> float:
        """Write a point; returns `value` as the device can hold it. Reading back is the caller's.

        Raises:
            LinkFault: the write is not known to have happened; Withheld: nothing was sent.
        """
        ...
