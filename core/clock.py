"""Two clocks: site time stamps the plant, the monotonic clock drives sockets and leases."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from igoudar.core.errors import ConfigError

CYCLE_S = 10.0  # site time
CYCLE_WALL_S = 0.5


class Clock(Protocol):
    """Site time, and how it runs against the wall."""

    @property
    def speed(self) -> float:
        """Site seconds per wall second."""
        ...

    def now(self) -> datetime:
        """Site time now, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SiteClock:
    """Site time = origin + speed x monotonic seconds since `monotonic_s`.

    CLOCK_MONOTONIC is shared by all processes of one host, so that every part computes the same site time.
    """

    origin: datetime
    monotonic_s: float
    speed: float
    run_id: str = ""

    def now(self) -> datetime:
        """Site time now, UTC."""
        return self.at(time.monotonic())

    def at(self, monotonic_s: float) -> datetime:
        """Site time at a monotonic instant [s], UTC."""
        return self.origin + timedelta(seconds=self.speed * (monotonic_s - self.monotonic_s))

    def save(self, path: Path) -> None:
        """Write `clock.json` whole or not at all."""
        document = {
            "schema": 1,
            "origin": self.origin.isoformat(),
            "monotonic_s": self.monotonic_s,
            "speed": self.speed,
            "run_id": self.run_id,
        }
        part = path.with_suffix(".part")
        part.write_text(json.dumps(document))
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> "SiteClock":
        """Read `clock.json`.

        Raises:
            ConfigError: when the file is missing or not a clock.
        """
        try:
            document = json.loads(path.read_text())
            return cls(
                datetime.fromisoformat(document["origin"]),
                float(document["monotonic_s"]),
                float(document["speed"]),
                str(document.get("run_id", "")),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"no usable site clock ({error})",
                where=str(path),
                fix="start `igoudar simulate` (or `igoudar run`) first; it owns the clock",
            ) from error


@dataclass(slots=True)
class JumpWatch:
    """Finds jumps of the wall clock against the monotonic one: set by hand, by NTP's step, after a sleep.

    What NTP slews (at most 0.5 ms a second) is no jump.
    """

    tolerance_s: float = 1.0
    _apart_s: float | None = None

    def look(self, wall_s: float, monotonic_s: float) -> float:
        """By how much the wall clock jumped since the last look [s]; 0.0 when it went on as it should."""
        apart_s = wall_s - monotonic_s
        last_s, self._apart_s = self._apart_s, apart_s
        jump_s = 0.0 if last_s is None else apart_s - last_s
        return jump_s if abs(jump_s) > self.tolerance_s else 0.0


def control_cycle_s(speed: float) -> float:
    """Length of a control cycle [s of site time], never under half a second on the wall."""
    return max(CYCLE_S, CYCLE_WALL_S * speed)


def site_time(clock: Clock, wall: datetime, wall_now: datetime) -> datetime:
    """Site time of a wall time; the two differ in simulations only."""
    return clock.now() + timedelta(seconds=(wall - wall_now).total_seconds() * clock.speed)


def wall_clock(run_id: str = "") -> SiteClock:
    """Site time that is wall time, for real hardware."""
    return SiteClock(datetime.now(UTC), time.monotonic(), 1.0, run_id)


@dataclass(slots=True)
class ManualClock:
    """A clock that moves only when told, for tests and the lab."""

    time: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        """Site time now, UTC."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Move site time forward by `seconds`."""
        self.time += timedelta(seconds=seconds)
