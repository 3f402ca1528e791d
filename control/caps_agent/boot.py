"""Time that a node can trust: seconds since boot, which boot it is, and the wall for want of better."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class BootClock(Protocol):
    """Monotonic within a boot."""

    @property
    def boot_id(self) -> str:
        """Another one after each boot."""
        ...

    def now_s(self) -> float:
        """Seconds since boot, sleep included."""
        ...

    def wall(self) -> datetime:
        """The wall's time, UTC; it may jump."""
        ...


@dataclass(frozen=True, slots=True)
class LinuxClock:
    """CLOCK_BOOTTIME and the kernel's boot id."""

    boot_id: str

    @classmethod
    def of_this_boot(cls) -> "LinuxClock":
        """The clock of the running kernel; without its boot id every start counts as a boot."""
        try:
            return cls(BOOT_ID.read_text().strip())
        except OSError:
            return cls(f"unknown-{time.time_ns()}")

    def now_s(self) -> float:
        """See BootClock."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> datetime:
        """See BootClock."""
        return datetime.now(UTC)
