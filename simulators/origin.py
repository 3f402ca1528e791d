"""Where site time starts or goes on: the same run keeps its clock, a new one resumes after what is stored."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from igoudar.core.clock import SiteClock
from igoudar.core.errors import ConfigError
from igoudar.simulators.plant.resource import ORIGIN
from igoudar.simulators.twin import Inputs, Twin, fits, kept_until

MOST_CATCH_UP = timedelta(days=2)  # a plant further behind starts afresh
MORNING_HOUR = 6  # UTC; a first picture of a site should have its sunrise ahead


def first_start(start: datetime | None, replayed: bool) -> datetime:
    """Site time of a first start: as asked, else the replay's origin, else this morning, UTC."""
    if start is not None:
        return start if start.tzinfo else start.replace(tzinfo=UTC)
    if replayed:
        return ORIGIN
    return datetime.now(UTC).replace(hour=MORNING_HOUR, minute=0, second=0, microsecond=0)


def running_clock(path: Path, run_id: str, speed: float) -> SiteClock | None:
    """The clock of this very run, when a part of it was restarted; None for a new run."""
    if not run_id or not path.exists():
        return None
    try:
        clock = SiteClock.load(path)
    except ConfigError:
        return None  # half a run's leftover: a new clock replaces it
    # A clock from before a reboot lies in the monotonic clock's future.
    same = (clock.run_id, clock.speed) == (run_id, speed) and clock.monotonic_s <= time.monotonic()
    return clock if same else None


def resume_at(start: datetime, kept: dict[str, Any] | None, stored: datetime | None) -> datetime:
    """Site time to go on from: after all that is stored or kept, `start` when nothing is."""
    known = [at for at in (stored, kept_until(kept) if kept else None) if at is not None]
    return max(known, default=start)


def usable(inputs: Inputs, kept: dict[str, Any] | None, at: datetime) -> dict[str, Any] | None:
    """The checkpoint, where it was taken with these inputs and can catch up with `at`; else None."""
    if kept is None or not fits(inputs, kept) or at - kept_until(kept) > MOST_CATCH_UP:
        return None
    return kept


def resumed(inputs: Inputs, kept: dict[str, Any] | None, at: datetime, grace_s: float) -> Twin:
    """Plant and shadow of a usable checkpoint brought to `at`, or fresh ones that start there."""
    if kept is None:
        return Twin.fresh(inputs, at, grace_s)
    twin = Twin.restore(inputs, kept)
    twin.plant.cluster.grace_s = grace_s
    twin.advance_to(at)
    return twin
