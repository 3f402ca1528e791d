"""What a run did against run-now: energies, work, deadlines; and the same after both queues are empty."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from igoudar.simulators.plant.plant import Plant, drain
from igoudar.simulators.twin import Inputs, Twin, unpack


def side(plant: Plant) -> dict[str, Any]:
    """One plant: energies [Wh], work [GPU-seconds], jobs."""
    totals, cluster = plant.totals, plant.cluster
    energies = {f"{name}_wh": value for name, value in asdict(totals).items() if name != "work_gpu_s"}
    return {
        **energies,
        "import_wh": totals.grid_import,
        "export_wh": totals.grid_export,
        "curtailed_wh": totals.curtailed,
        "battery_stored_wh": plant.battery.stored_wh,
        "battery_start_wh": plant.initial_wh,
        "balance_error": totals.balance_error(),
        "work_gpu_s": totals.work_gpu_s if plant.racks.occupied else cluster.work_gpu_s(),
        "jobs_seen": cluster.seen,
        "jobs_finished": cluster.finished_count,
        "jobs_rejected": cluster.rejected,
        "jobs_shifted": cluster.shifted_count,
        "deadlines_missed": sorted(cluster.missed),
    }


def summary(twin: Twin) -> dict[str, Any]:
    """Plant against shadow; `deadlines_missed` counts those that run-now kept.

    Where an outside scheduler is followed (`external`), nobody knows what run-now would be: those figures
    are None.
    """
    plant, shadow = side(twin.plant), side(twin.shadow)
    external = None if twin.plant.racks.occupied is None else twin.plant.site.scheduler.kind
    lost = sorted(set(plant["deadlines_missed"]) - set(shadow["deadlines_missed"]))
    return {
        "time": twin.now.isoformat(),
        "start": twin.plant.start.isoformat(),
        "external": external,
        "plant_balance_error": plant["balance_error"],
        "jobs_seen": plant["jobs_seen"],
        "jobs_finished": plant["jobs_finished"],
        "jobs_shifted": plant["jobs_shifted"],
        "deadlines_missed": len(lost),
        "deadlines_missed_ids": lost,
        "work_gpu_s": plant["work_gpu_s"],
        "work_gpu_s_run_now": None if external else shadow["work_gpu_s"],
        "import_wh": plant["import_wh"],
        "import_wh_run_now": None if external else shadow["import_wh"],
        "plant": plant,
        "run_now": None if external else shadow,
    }


def drained(inputs: Inputs, checkpoint: Path) -> dict[str, Any]:
    """The summary after both plants of a checkpoint have emptied their queues, in pure simulation.

    Args:
        inputs: What the checkpoint was taken with.
        checkpoint: Written by the simulators (POST /v1/checkpoint); it is left as it is.
    """
    twin = Twin.restore(inputs, unpack(checkpoint.read_bytes(), str(checkpoint)))
    drain(twin.plant, twin.shadow)
    return summary(twin)
