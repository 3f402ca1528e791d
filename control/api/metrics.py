"""The collector's and our own figures in Prometheus' text format."""

from collections.abc import Mapping

from igoudar.control.schema import Status


def exposition(status: Status | None, collector: Mapping[str, float]) -> str:
    """One line per figure; nothing that a stranger should not know."""
    figures = {f"igoudar_collector_{name}": value for name, value in sorted(collector.items())}
    if status is not None:
        figures |= {
            "igoudar_devices": status.devices,
            "igoudar_devices_answering": status.devices_answering,
            "igoudar_readings_total": status.readings,
            "igoudar_gaps_total": status.gaps,
            "igoudar_notifications_total": status.notifications,
        }
    return "".join(f"{name} {value:g}\n" for name, value in figures.items())
