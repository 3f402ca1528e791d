"""What the kernel knows of a process: CPU time, memory, file descriptors."""

import os
from pathlib import Path
from typing import NamedTuple

TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


class Look(NamedTuple):
    """One look at a process."""

    cpu_s: float
    rss_mb: float
    fds: int


def look(pid: int) -> Look:
    """How a living process stands now."""
    folder = Path(f"/proc/{pid}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    rss_kb = next(
        int(line.split()[1]) for line in (folder / "status").read_text().splitlines() if "VmRSS" in line
    )
    fds = len(os.listdir(folder / "fd"))  # noqa: PTH208 - names are enough
    return Look((int(fields[11]) + int(fields[12])) * TICK_S, rss_kb / 1024, fds)
