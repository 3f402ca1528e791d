"""From Slurm's jobs and nodes to the queue as the site sees it: site time, site GPUs, racks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.actuation.schedulers.slurm import rules
from igoudar.control.actuation.schedulers.slurm.history import History
from igoudar.control.actuation.schedulers.slurm.jobs import SlurmJob
from igoudar.control.actuation.schedulers.slurm.marks import Mark
from igoudar.control.actuation.schedulers.slurm.nodes import SlurmNode
from igoudar.control.actuation.schedulers.slurm.times import WallTimes
from igoudar.core.model import JobState, Site


@dataclass(frozen=True, slots=True)
class Scale:
    """How many of the site's GPUs one of Slurm's stands for, by node and on average."""

    by_node: Mapping[str, float]
    mean: float

    def of(self, job: SlurmJob) -> float:
        """For a job where it runs, or wherever it will."""
        known = [self.by_node[node] for node in job.nodes if node in self.by_node]
        return sum(known) / len(known) if known else self.mean


def scale(site: Site, nodes: Mapping[str, SlurmNode]) -> Scale:
    """By the racks that the site file gives to each node; 1 where it says nothing."""
    gpus = {rack.name: rack.gpus for rack in site.racks}
    stands_for = {
        one.node: sum(part * gpus[rack] for rack, part in one.racks)
        for one in site.scheduler.nodes
        if one.node in nodes and nodes[one.node].gpus
    }
    by_node = {name: count / nodes[name].gpus for name, count in stands_for.items()}
    listed = sum(nodes[name].gpus for name in stands_for)
    return Scale(by_node, sum(stands_for.values()) / listed if listed else 1.0)


@dataclass(slots=True)
class Listing:
    """Builds queues for one site."""

    site: Site
    times: WallTimes
    history: History

    def queue(
        self,
        jobs: Sequence[tuple[SlurmJob, Mark]],
        nodes: Mapping[str, SlurmNode],
        finished_since: datetime | None,
    ) -> Queue:
        """The jobs that wait, run or have finished since a site time, and the GPUs they compete for."""
        now, now_s = self.times.now()
        sizes, choice = scale(self.site, nodes), self.site.scheduler
        places = choice.flexible_partitions
        usable = [node for node in nodes.values() if node.usable and _takes_flexible(node, places)]
        room = _site_gpus(usable, sizes)
        most = sum(node.gpus for node in usable)
        listed = [self._job(fitted(job, most), mark, sizes, now_s) for job, mark in jobs]
        return Queue(
            time=now,
            gpus=_site_gpus(nodes.values(), sizes),
            gpus_free=room - _site_gpus([replace(node, gpus=node.gpus_used) for node in usable], sizes),
            flexible_gpus=room,
            jobs=tuple(job for job in listed if _wanted(job, finished_since)),
        )

    def _job(self, job: SlurmJob, mark: Mark, sizes: Scale, now_s: float) -> QueuedJob:
        obstacle = rules.blocked(job, mark, now_s)
        return QueuedJob(
            job_id=job.job_id,
            name=job.name or job.job_id,
            user=job.user,
            gpus=max(1, round(job.gpus * job.at_once * sizes.of(job))) if job.gpus else 0,
            state=_state(job, obstacle, now_s),
            flexible=rules.flexible(job, self.site.scheduler),
            submitted=self.times.site(job.submitted_s),
            expected_s=self.times.site_s(self.history.expected_s(job)),
            deadline=self._time(rules.deadline_s(job)),
            started=None if job.pending else self._time(job.started_s),
            finished=self._time(job.ended_s) if job.over else None,
            begin_at=self._time(job.begin_s) if job.pending and mark.delayed(job.begin_s) else None,
            work_done_s=self.times.site_s(job.ran_s(now_s)),
            racks=self._racks(job),
            blocked=obstacle,
            keeps_gpus=True,
            asked_w=float(job.at_once * rules.watts(job, self.site.scheduler)),
        )

    def _time(self, wall_s: float | None) -> datetime | None:
        return None if wall_s is None else self.times.site(wall_s)

    def _racks(self, job: SlurmJob) -> tuple[str, ...]:
        if job.pending or job.over:
            return ()
        of = self.site.scheduler.racks_of
        return tuple(dict.fromkeys(rack for node in job.nodes for rack, _ in of.get(node, ())))


def fitted(job: SlurmJob, gpus: int) -> SlurmJob:
    """Tasks of an array run at the same time only as far as there are GPUs for them."""
    if job.tasks == 1 or not job.gpus:
        return job
    return replace(job, at_once=max(1, min(job.at_once, gpus // job.gpus)))


def _state(job: SlurmJob, obstacle: str, now_s: float) -> JobState:
    if job.suspended:
        return JobState.SUSPENDED
    if job.over:
        return JobState.FINISHED
    if not job.pending:
        return JobState.RUNNING
    later = job.begin_s is not None and job.begin_s > now_s
    return JobState.HELD if obstacle or later else JobState.WAITING


def _wanted(job: QueuedJob, finished_since: datetime | None) -> bool:
    if job.state is not JobState.FINISHED:
        return True
    return finished_since is not None and job.finished is not None and job.finished >= finished_since


def _takes_flexible(node: SlurmNode, partitions: frozenset[str]) -> bool:
    return not partitions or bool(node.partitions & partitions)


def _site_gpus(nodes: Iterable[SlurmNode], sizes: Scale) -> int:
    return round(sum(node.gpus * sizes.by_node.get(node.name, sizes.mean) for node in nodes))
