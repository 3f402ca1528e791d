"""What one cycle knows of the site. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from igoudar.control.actuation.schedulers import Queue
from igoudar.control.picture import Picture


@dataclass(frozen=True, slots=True)
class Look:
    """What one cycle knows of the site; `queue` is None while the scheduler does not answer."""

    picture: Picture
    queue: Queue | None
    left_alone: Collection[str]
    pue: float | None
    cycle_s: float
