"""Control's sign of life: a small file that each cycle writes anew and a clean stop removes."""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

LOG = logging.getLogger(__name__)
NAME = "heartbeat.json"


@dataclass(frozen=True, slots=True)
class Beat:
    """One sign of life. Only that it changes matters: no clock is compared."""

    pid: int
    cycle: int
    period_s: float  # wall, from this beat to the next


class Heartbeat:
    """Written by the control loop once a cycle, at the end of it."""

    def __init__(self, state: Path) -> None:
        self._path, self._cycle = state / NAME, 0

    def beat(self, period_s: float) -> None:
        """Say that a cycle is done and the next ends in about `period_s` (wall).

        A full disk silences it, which the failsafe takes for a dead control: that is the safe reading.
        """
        self._cycle += 1
        document = {"schema": 1, "pid": os.getpid(), "cycle": self._cycle, "period_s": period_s}
        part = self._path.with_name(NAME + ".part")
        try:
            part.write_text(json.dumps(document))
            part.replace(self._path)
        except OSError as error:
            LOG.warning("no heartbeat: %s", error)

    def stop(self) -> None:
        """Control ends as it was asked to."""
        self._path.unlink(missing_ok=True)


def read_beat(state: Path) -> Beat | None:
    """The last sign of life; None where there is none that can be read."""
    try:
        found = json.loads((state / NAME).read_bytes())
        return Beat(int(found["pid"]), int(found["cycle"]), float(found["period_s"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def process_lives(pid: int) -> bool:
    """Whether a process of this number runs on this host."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
