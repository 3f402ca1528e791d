"""Readings that the store tests share."""

from datetime import UTC, datetime, timedelta

from igoudar.core.model import Reading
from igoudar.core.store.protocol import Series

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
POWER = Series("pdu-1", "active_power_w")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reading(seconds: float, power_w: float, device: str = "pdu-1") -> Reading:
    return Reading(at(seconds), device, {"active_power_w": power_w, "voltage_v": 230.0})
