"""A command as a document that a proposal keeps, and back."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from igoudar.control.actuation.command import Command
from igoudar.control.text import text

_COMMAND = TypeAdapter(Command)


def pack(command: Command) -> dict[str, Any]:
    """Plain values only; times as ISO 8601."""
    return {
        "command_id": command.command_id,
        "actuator": command.actuator.value,
        "target": command.target,
        "point": command.point,
        "issued_at": command.issued_at.isoformat(),
        "expires_at": command.expires_at.isoformat(),
        "origin": command.origin.value,
        "who": command.who,
        "code": command.code,
        "params": text(command.code, "UTC", **command.params).params,
        "value": command.value,
        "until": command.until.isoformat() if command.until else None,
        "plan_version": command.plan_version,
        "config_version": command.config_version,
        "approved_by": list(command.approved_by),
    }


def unpack(document: Mapping[str, Any]) -> Command:
    """The inverse of `pack`; times in parameters stay as they are shown.

    Raises:
        ValueError: it is damaged, or a newer igoudar wrote it.
    """
    strange = dict(document).keys() - Command.__dataclass_fields__.keys()
    if strange:
        raise ValueError(f"not known here: {', '.join(sorted(strange))}")
    return _COMMAND.validate_python(document)
