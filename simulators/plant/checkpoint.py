"""A plant's state as bytes, and back."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np

from igoudar.core.errors import ConfigError
from igoudar.core.model import Job, JobState
from igoudar.simulators.plant.cluster import Cluster
from igoudar.simulators.plant.job_record import JobRecord
from igoudar.simulators.plant.totals import Totals

if TYPE_CHECKING:
    from igoudar.simulators.plant.plant import Plant

SCHEMA = 1
_PARTS = ("cooling", "transformers", "solar", "wind", "battery")
_DRIVES = ("desalination", "electrolyser")
_COUNTS = ("grace_s", "now_s", "seen", "finished_count", "rejected", "shifted_count", "finished_gpu_s")


def pack(plant: "Plant") -> bytes:
    """The state of a plant."""
    document = {
        "schema": SCHEMA,
        "site": plant.site.name,
        "start": plant.start.isoformat(),
        "seed": plant.seed,
        "time_s": plant.time_s,
        "arrived_s": plant.arrived_s,
        "initial_wh": plant.initial_wh,
        "drained": plant.arrivals is None,
        "racks": plant.racks.energy_wh.tolist(),
        "power_limits": plant.racks.limits.state(),
        "totals": asdict(plant.totals),
        "cluster": _cluster(plant.cluster),
        **{name: getattr(plant, name).state() for name in (*_PARTS, *_DRIVES)},
    }
    packed: bytes = msgpack.packb(document)
    return packed


def unpack(data: bytes) -> dict[str, Any]:
    """The document in a checkpoint.

    Raises:
        ConfigError: when it is none, or of another version.
    """
    try:
        document = msgpack.unpackb(data, strict_map_key=False)
        if document["schema"] == SCHEMA:
            return dict(document)
        what = f"its schema is {document['schema']}, not {SCHEMA}"
    except (ValueError, KeyError, TypeError, msgpack.UnpackException) as error:
        what = f"can't be read ({error})"
    raise ConfigError(what, where="plant checkpoint", fix="remove plant.msgpack to start the plant afresh")


def apply(plant: "Plant", kept: dict[str, Any]) -> None:
    """Bring a fresh plant into a checkpoint's state."""
    if kept["site"] != plant.site.name or len(kept["racks"]) != len(plant.site.racks):
        raise ConfigError(
            f"it is of site {kept['site']}, not {plant.site.name} as it stands",
            where="plant checkpoint",
            fix="use another --state folder, or remove plant.msgpack",
        )
    plant.time_s, plant.arrived_s, plant.initial_wh = (kept[n] for n in ("time_s", "arrived_s", "initial_wh"))
    plant.arrivals = None if kept["drained"] else plant.arrivals
    plant.racks.energy_wh = np.array(kept["racks"])
    plant.racks.limits.load(kept.get("power_limits", {"limits": {}, "settings": {}}))
    plant.totals = Totals(**kept["totals"])
    for name in _PARTS:
        getattr(plant, name).load(kept[name])
    for name in _DRIVES:
        getattr(plant, name).restore(kept[name])
    _restore_cluster(plant.cluster, kept["cluster"])


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        **{name: getattr(cluster, name) for name in _COUNTS},
        "missed": cluster.missed,
        "queue": cluster.queue,
        "ends": cluster.ends,
        "begins": cluster.begins,
        "finished": cluster.finished_ids,
        "jobs": [_record(record) for record in cluster.jobs.values()],
    }


def _record(record: JobRecord) -> dict[str, Any]:
    kept = {name: getattr(record, name) for name in JobRecord.__slots__}
    job = {name: getattr(record.job, name) for name in Job.__slots__}
    job["submitted"] = record.job.submitted.isoformat()
    job["deadline"] = None if record.job.deadline is None else record.job.deadline.isoformat()
    return {**kept, "state": str(record.state), "placed": list(record.placed.items()), "job": job}


def _restore_cluster(cluster: Cluster, kept: dict[str, Any]) -> None:
    for name in _COUNTS:
        setattr(cluster, name, kept[name])
    cluster.missed = list(kept["missed"])
    cluster.queue, cluster.ends, cluster.begins, cluster.finished_ids = (
        [(key[0], key[1]) for key in kept[name]] for name in ("queue", "ends", "begins", "finished")
    )
    cluster.jobs = {record.job.job_id: record for record in map(_restored, kept["jobs"])}
    cluster.running = {i for i, record in cluster.jobs.items() if record.state is JobState.RUNNING}
    cluster.slowed = {i for i in cluster.running if cluster.jobs[i].pace < 1.0}
    for record in cluster.jobs.values():
        for rack, gpus in record.placed.items():
            cluster.free[rack] -= gpus


def _restored(kept: dict[str, Any]) -> JobRecord:
    job = dict(kept["job"])
    job["submitted"] = datetime.fromisoformat(job["submitted"])
    job["deadline"] = None if job["deadline"] is None else datetime.fromisoformat(job["deadline"])
    placed = {int(rack): int(gpus) for rack, gpus in kept["placed"]}
    return JobRecord(**{**kept, "job": Job(**job), "state": JobState(kept["state"]), "placed": placed})
