"""What the failsafe did, in `STATE/failsafe.json`: it alone writes it, control reads it into the audit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from igoudar.control.failsafe.suspended import Suspended
from igoudar.control.failsafe.watch import Pause, Why
from igoudar.core.durable import write_durably
from igoudar.core.errors import StoreError

SCHEMA = 1
NAME = "failsafe.json"

ASKING, RESUMED, NOT_NEEDED = "asking", "resumed", "not_needed"


@dataclass(frozen=True, slots=True)
class Deed:
    """One resume: whose, why, and what became of it."""

    deed_id: str
    pause: Pause
    why: Why
    at: datetime  # site time, UTC
    state: str = ASKING
    attempts: int = 0
    error: str = ""  # of the last attempt

    @property
    def over(self) -> bool:
        """Nothing is left to do for it."""
        return self.state != ASKING


def read_deeds(state: Path) -> list[Deed]:
    """Every deed that is kept, oldest first.

    Raises:
        StoreError: the file is there but can't be understood.
    """
    path = state / NAME
    try:
        document = json.loads(path.read_bytes())
        if document["schema"] != SCHEMA:
            raise ValueError(f"its schema is {document['schema']}, not {SCHEMA}")
        return [_parsed(deed) for deed in document["deeds"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"the failsafe's record can't be read ({error!r})",
            where=str(path),
            fix="move this file aside; the failsafe begins another",
        ) from error


def write_deeds(state: Path, deeds: Sequence[Deed]) -> None:
    """Keep the deeds so that a power cut can't lose them.

    Raises:
        OSError: they could not be written.
    """
    document = {"schema": SCHEMA, "deeds": [_shown(deed) for deed in deeds]}
    write_durably(state / NAME, json.dumps(document, indent=1).encode())


def _shown(deed: Deed) -> dict[str, Any]:
    entry = deed.pause.entry
    return {
        **{name: value for name, value in asdict(deed).items() if name != "pause"},
        "job_id": deed.pause.job_id,
        "why": str(deed.why),
        "at": deed.at.isoformat(),
        "suspended_at": entry.at.isoformat(),
        "resume_by": entry.resume_by.isoformat(),
    }


def _parsed(kept: Mapping[str, Any]) -> Deed:
    entry = Suspended(*(datetime.fromisoformat(kept[name]) for name in ("suspended_at", "resume_by")))
    return Deed(
        deed_id=str(kept["deed_id"]),
        pause=Pause(str(kept["job_id"]), entry),
        why=Why(kept["why"]),
        at=datetime.fromisoformat(kept["at"]),
        state=str(kept["state"]),
        attempts=int(kept["attempts"]),
        error=str(kept["error"]),
    )
