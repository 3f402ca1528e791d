"""How fast running jobs go on: a power limit slows them, and moves their ends."""

import heapq

from igoudar.simulators.plant.cluster import Cluster
from igoudar.simulators.plant.job_record import JobRecord
from igoudar.simulators.plant.noise import Series


def pace(cluster: Cluster, throughput: Series) -> None:
    """Let every running gang go on at the pace of its slowest rack (`throughput` per rack, 0 to 1)."""
    if not cluster.slowed and bool((throughput >= 1.0).all()):
        return
    for job_id in cluster.running:
        record = cluster.jobs[job_id]
        found = min(float(throughput[rack]) for rack in record.placed)
        if found != record.pace:
            _change(cluster, record, found)


def _change(cluster: Cluster, record: JobRecord, found: float) -> None:
    record.done_s, record.since_s = record.work_done_s(cluster.now_s), cluster.now_s
    record.pace = found
    (cluster.slowed.add if found < 1.0 else cluster.slowed.discard)(record.job.job_id)
    heapq.heappush(cluster.ends, (record.end_s, record.job.job_id))
