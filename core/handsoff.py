"""Hands-off: one file that stops every write, looked for just before each; no process has to live for it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from igoudar.core.durable import sync_folder, write_durably
from igoudar.core.errors import StoreError

NAME = "handsoff"  # in the state folder


@dataclass(frozen=True, slots=True)
class HandsOff:
    """Who stopped every write, when (wall, UTC) and why; all empty when the file says nothing."""

    who: str = ""
    when: datetime | None = None
    why: str = ""


def is_on(state: Path) -> bool:
    """Whether nothing may be written; a folder that can't be looked into counts as on."""
    try:
        (state / NAME).lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def read(state: Path) -> HandsOff | None:
    """Who and why, None while it is off."""
    if not is_on(state):
        return None
    try:
        document = json.loads((state / NAME).read_bytes())
        return HandsOff(str(document["who"]), datetime.fromisoformat(document["when"]), str(document["why"]))
    except (OSError, ValueError, KeyError, TypeError):
        return HandsOff()  # a bare file, made by hand in a hurry, stops as well


def turn_on(state: Path, who: str, why: str) -> HandsOff:
    """Stop every write from now on; what already stands is left as it is.

    Raises:
        StoreError: the file can't be written.
    """
    said = HandsOff(who, datetime.now(UTC), why)
    document = {"who": who, "when": datetime.now(UTC).isoformat(), "why": why}
    try:
        write_durably(state / NAME, json.dumps(document).encode())
    except OSError as error:
        raise StoreError(
            f"hands-off can't be kept ({error.strerror})",
            where=str(state / NAME),
            fix=f"make any file of this name: touch {state / NAME}; or stop `igoudar collect`",
        ) from error
    return said


def turn_off(state: Path) -> None:
    """Let writes through again.

    Raises:
        StoreError: the file can't be removed.
    """
    try:
        (state / NAME).unlink(missing_ok=True)
        sync_folder(state)
    except OSError as error:
        raise StoreError(
            f"hands-off can't be ended ({error.strerror})", where=str(state / NAME), fix="remove the file"
        ) from error
