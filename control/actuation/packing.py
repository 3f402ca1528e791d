"""A command as a document that a proposal keeps, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.text import text

TIMES = ("issued_at", "expires_at", "until")


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
    """The inverse of `pack`; times in parameters stay as they are shown."""
    kept = dict(document)
    times = {name: datetime.fromisoformat(kept[name]) if kept[name] else None for name in TIMES}
    return Command(
        **{
            **kept,
            **times,
            "actuator": ActuatorClass(kept["actuator"]),
            "origin": Origin(kept["origin"]),
            "approved_by": tuple(kept["approved_by"]),
        }
    )
