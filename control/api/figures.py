"""Every figure of `/metrics`: its name there, its type, what it says.

Names by Prometheus' conventions: prefix `igoudar_`, base units, `_total` for counters.
"""

from collections.abc import Mapping
from typing import NamedTuple

MEBIBYTE = 2**20


class Figure(NamedTuple):
    """One metric family."""

    name: str
    type: str  # counter or gauge
    help: str
    factor: float = 1.0  # from the source's unit to the base unit


def counter(name: str, text: str) -> Figure:
    """A figure that only grows, but for restarts."""
    return Figure(f"igoudar_{name}_total", "counter", text)


def gauge(name: str, text: str, factor: float = 1.0) -> Figure:
    """A figure that goes up and down."""
    return Figure(f"igoudar_{name}", "gauge", text, factor)


COLLECTOR: Mapping[str, Figure] = {
    "devices": gauge("collector_devices", "Devices that are polled."),
    "devices_answering": gauge("collector_devices_answering", "Devices whose newest reading has values."),
    "readings_total": counter("collector_readings", "Readings taken, those without values included."),
    "gaps_total": counter("collector_gaps", "Readings without values."),
    "gaps_by_cause_total": counter("collector_gaps_by_cause", "Readings without values, by cause."),
    "points_total": counter("collector_values", "Values read, of all points of all devices."),
    "kind_devices": gauge("collector_kind_devices", "Devices of a kind."),
    "kind_devices_answering": gauge(
        "collector_kind_devices_answering", "Devices of a kind whose newest reading has values."
    ),
    "kind_points_not_good": gauge(
        "collector_kind_points_not_good", "Points of a kind's newest readings that are uncertain or bad."
    ),
    "lag_s": gauge(
        "collector_lag_seconds", "From receipt to disk, for the oldest reading of the last batch."
    ),
    "acknowledged_readings_total": counter("collector_acknowledged_readings", "Readings that are on disk."),
    "stored_readings_total": counter("collector_stored_readings", "Readings that the store has taken."),
    "waiting_readings": gauge("collector_waiting_readings", "Readings in memory that are not on disk yet."),
    "dropped_readings_total": counter("collector_dropped_readings", "Readings lost for want of room."),
    "append_failures_total": counter("collector_append_failures", "Appends that the store refused."),
    "append_s": gauge("collector_append_seconds", "How long the last append to the store took."),
    "store_down_s": gauge("collector_store_down_seconds", "For how long the store has refused; 0 when up."),
    "store_appends_total": counter("store_appends", "Appends that are on disk in the store."),
    "store_samples_total": counter("store_samples", "Samples in these appends."),
    "store_refused_appends_total": counter("store_refused_appends", "Appends that the store's disk refused."),
    "store_postponed_merges_total": counter("store_postponed_merges", "Merges that the disk made wait."),
    "store_hot_segments": gauge("store_hot_segments", "Appends that are not merged yet."),
    "store_merged_segments": gauge("store_merged_segments", "Files of merged samples and roll-ups."),
    "store_hours_not_rolled_up": gauge("store_hours_not_rolled_up", "Hours whose roll-ups are not made yet."),
    "store_quarantined_segments": gauge(
        "store_quarantined_segments", "Files of the store that were found damaged and set aside."
    ),
    "spool_batches": gauge("collector_spool_batches", "Batches that wait in the spool for the store."),
    "spool_bytes": gauge("collector_spool_bytes", "Size of the spool."),
    "spool_limit_bytes": gauge("collector_spool_limit_bytes", "Size at which the spool drops its oldest."),
    "spool_dropped_readings_total": counter(
        "collector_spool_dropped_readings", "Readings that the full spool dropped."
    ),
    "spool_corrupt_records_total": counter("collector_spool_corrupt_records", "Spool records found damaged."),
    "spool_corrupt_readings_total": counter(
        "collector_spool_corrupt_readings", "Readings lost with damaged spool records."
    ),
    "spool_failures_total": counter("collector_spool_failures", "Writes that the spool's disk refused."),
    "spool_refuses": gauge("collector_spool_refuses", "1 while the spool's disk takes nothing."),
    "quarantined_readings_total": counter(
        "collector_quarantined_readings", "Readings set aside that the store will never take."
    ),
    "quarantine_dropped_total": counter(
        "collector_quarantine_dropped", "Readings that the full quarantine dropped."
    ),
    "writes_total": counter("collector_writes", "Setpoints asked for, by result; an error wants a person."),
    "writes_rejected_total": counter("collector_writes_rejected", "Setpoints not written, by reason."),
    "setpoints_held": gauge("collector_setpoints_held", "Setpoints that stand on devices by our doing."),
    "setpoints_lost_total": counter(
        "collector_setpoints_lost", "Setpoints that somebody else changed, or that could not be given back."
    ),
    "heartbeats_total": counter("collector_heartbeats", "Heartbeats written to the plant."),
    "authority_valid": gauge("collector_authority_valid", "1 while a control process may write."),
    "hands_off": gauge("collector_hands_off", "1 while a person has stopped every write."),
    "overruns_total": counter("collector_missed_polls", "Polls skipped as the one before took too long."),
    "surprises_total": counter("collector_surprises", "Exceptions that no link should raise."),
    "connections_total": counter("collector_connections", "Modbus connections opened, reconnects included."),
    "late_answers_total": counter("collector_late_answers", "Modbus answers that came after their timeout."),
    "opcua_sessions_total": counter(
        "collector_opcua_sessions", "OPC UA sessions opened, reconnects included."
    ),
    "opcua_changes_total": counter("collector_opcua_changes", "Data changes that OPC UA servers sent."),
    "opcua_polled_servers": gauge(
        "collector_opcua_polled_servers", "OPC UA servers polled for want of better."
    ),
    "opcua_skew_s": gauge(
        "collector_opcua_skew_seconds", "Worst difference between source and receive time."
    ),
    "clock_offset_s": gauge("collector_clock_offset_seconds", "Worst offset of a device's own clock."),
    "clock_drift_ppm": gauge("collector_clock_drift_ratio", "Worst drift of a device's own clock.", 1e-6),
    "subscribers": gauge("collector_subscribers", "Clients that are sent every batch."),
    "rss_mb": gauge("collector_peak_memory_bytes", "Largest resident memory so far.", MEBIBYTE),
}
"""By the collector's own names, without the prefix `collector_`."""

CONTROL: Mapping[str, Figure] = {
    "devices": gauge("devices", "Devices of the site."),
    "devices_answering": gauge("devices_answering", "Devices that answer, as control sees them."),
    "points": gauge("points", "Distinct points of the site."),
    "readings": counter("readings", "Readings that control knows of."),
    "gaps": counter("gaps", "Readings without values that control knows of."),
    "values": counter("values", "Values read since the collector started."),
    "jobs_waiting": gauge("jobs_waiting", "Jobs that wait or are held."),
    "jobs_running": gauge("jobs_running", "Jobs that run."),
    "notifications": counter("notifications", "Notifications sent since the state began."),
}
"""By the status document's fields."""
