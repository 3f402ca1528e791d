"""Audit lines for tests."""

from datetime import UTC, datetime
from typing import Any

from igoudar.control.records.tables import ActionRow

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def action(target: str = "job-1", at: datetime = T0, **more: Any) -> ActionRow:
    values: dict[str, Any] = {
        "at": at,
        "who": "control",
        "verb": "delay",
        "target": target,
        "before": None,
        "after": "later",
        "code": "control.wait",
        "params": {"power_w": 1.0},
        "result": "done",
        "config_version": "abc",
    }
    return ActionRow(**values | more)
