"""One writer: the right to act on the plant, held by one process at a time."""

import os
import socket
from pathlib import Path
from typing import Protocol

from igoudar.core.errors import CommandError
from igoudar.core.said import said

LEASE_S = 30.0  # wall; longer than three control cycles at speed 1 would need, short enough to wait for


class Lease(Protocol):
    """The right to act, and how much longer it is ours for certain.

    Devices can't check it: whoever sends a command checks `held()` just before, and `collect` checks epoch
    and deadline once more before each write. Durations are wall seconds on this host's monotonic clock.
    """

    @property
    def holder(self) -> str:
        """Who we are: host and process."""
        ...

    @property
    def former(self) -> str:
        """Who held it before us; "" where nobody else can."""
        ...

    @property
    def epoch(self) -> int:
        """The number of our holding, higher than any before it; 0 before the first."""
        ...

    def held(self) -> bool:
        """Whether we may act at this moment."""
        ...

    def remaining_s(self) -> float:
        """For how long we may act unless it is renewed; 0 when it is not ours."""
        ...

    def deadline_s(self) -> float:
        """The same as an instant of CLOCK_MONOTONIC, which all processes of this host share."""
        ...

    async def keep(self) -> None:
        """Take it as soon as it is free and keep it, until cancelled."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


def this_process() -> str:
    """A name of this process for people who look for the writer."""
    return f"{socket.gethostname()}:{os.getpid()}"


class NotWriterError(CommandError):
    """Another control process is the writer: it is the one to ask."""


def not_writer(where: str) -> NotWriterError:
    """What people are told who ask something that only the writer may keep."""
    return said(NotWriterError, "guard.no_lease", where=where)


def host_of(holder: str) -> str:
    """The host in the name of a holder."""
    return holder.rpartition(":")[0]


def seen_epoch(state: Path) -> int:
    """The highest epoch that this host's `collect` has obeyed; a new one must be higher."""
    try:
        return int((state / "epoch").read_text())
    except (OSError, ValueError):
        return 0
