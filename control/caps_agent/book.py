"""What the agent promised, on disk before it is done: caps with their ends, command ids, the epoch."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from igoudar.control.caps_agent.boot import BootClock
from igoudar.core.durable import write_durably
from igoudar.core.errors import StoreError

SCHEMA = 1
NAME = "caps.json"
REMEMBERED = 512  # command ids that are not carried out twice


@dataclass(slots=True)
class Cap:
    """One GPU's cap; after its end it is released to the site's default."""

    limit_w: float
    command_id: str
    deadline_s: float  # of the boot clock
    releasing: bool = False  # over, but the GPU does not hold the default yet


@dataclass(slots=True)
class Book:
    """All of it; `keep` makes it durable."""

    caps: dict[str, Cap] = field(default_factory=dict)  # by the GPU's UUID
    seen: dict[str, str] = field(default_factory=dict)  # command id -> what it asked, oldest first
    epoch: int = 0

    def remember(self, command_id: str, asked: str) -> None:
        """Note a command."""
        self.seen[command_id] = asked
        while len(self.seen) > REMEMBERED:
            del self.seen[next(iter(self.seen))]

    def keep(self, folder: Path, clock: BootClock) -> None:
        """Write it so that a power cut can't lose it.

        Raises:
            StoreError: it can't be kept; then nothing may be promised.
        """
        caps = {uuid: _kept(cap, clock) for uuid, cap in self.caps.items()}
        document = {
            "schema": SCHEMA,
            "boot_id": clock.boot_id,
            "epoch": self.epoch,
            "caps": caps,
            "seen": self.seen,
        }
        try:
            write_durably(folder / NAME, json.dumps(document, indent=1).encode())
        except OSError as error:
            raise StoreError(
                f"caps can't be kept ({error.strerror})",
                where=str(folder),
                fix="check free space and permissions",
            ) from error


def open_book(folder: Path, clock: BootClock) -> Book:
    """The book of this folder, its ends reckoned on this boot's clock.

    Raises:
        StoreError: it is there but can't be understood.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        document = json.loads(path.read_bytes())
        if document["schema"] != SCHEMA:
            raise ValueError(f"its schema is {document['schema']}, not {SCHEMA}")
        same_boot = document["boot_id"] == clock.boot_id
        return Book(
            {uuid: _cap(kept, clock, same_boot) for uuid, kept in document["caps"].items()},
            {str(command): str(asked) for command, asked in document["seen"].items()},
            int(document["epoch"]),
        )
    except FileNotFoundError:
        return Book()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"the caps that were promised can't be read ({error!r})",
            where=str(path),
            fix="move this file aside; the agent then starts with no cap, and leaves the GPUs as they are",
        ) from error


def _kept(cap: Cap, clock: BootClock) -> Mapping[str, Any]:
    left_s = max(0.0, cap.deadline_s - clock.now_s())
    return {**asdict(cap), "left_s": left_s, "ends": (clock.wall() + timedelta(seconds=left_s)).isoformat()}


def _cap(kept: Mapping[str, Any], clock: BootClock, same_boot: bool) -> Cap:
    """Within a boot the deadline holds; across boots the wall tells what is left, never more than was."""
    deadline_s = float(kept["deadline_s"])
    if not same_boot:
        left_s = (datetime.fromisoformat(kept["ends"]) - clock.wall()).total_seconds()
        deadline_s = clock.now_s() + min(max(0.0, left_s), float(kept["left_s"]))
    return Cap(float(kept["limit_w"]), str(kept["command_id"]), deadline_s, bool(kept["releasing"]))
