"""The plant's racks follow a real Slurm: each node's busy GPUs load the racks that it stands for."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from igoudar.core.errors import LinkError
from igoudar.core.model import Site
from igoudar.core.model_scheduler import Scheduling
from igoudar.simulators.plant.noise import Series
from igoudar.simulators.plant.plant import Plant
from igoudar.simulators.plant.racks import Occupied, Racks
from igoudar.simulators.slurm_reader import RunningJob, SlurmNode, SlurmReader

LOG = logging.getLogger(__name__)

POLL_S = 0.5  # wall, between the end of one reading and the start of the next
COST_SHARE = 4.0  # a slow Slurm is asked less often: at most a fifth of the time
NODES_EVERY = 10  # readings of the jobs for one of the nodes


class Reads(Protocol):
    """A Slurm to follow."""

    async def jobs(self) -> Sequence[RunningJob]:
        """Every job that runs now."""
        ...

    async def nodes(self) -> Sequence[SlurmNode]:
        """Every node."""
        ...


@dataclass(slots=True)
class Follower:
    """Keeps the racks of plant and shadow at what Slurm runs.

    Args:
        slurm: Read about once a second.
        scheduling: Which nodes stand for which racks, and which jobs are flexible.
        racks: Of the plant, and of its shadow: what run-now would be under a real Slurm nobody knows.
    """

    slurm: Reads
    scheduling: Scheduling
    racks: Sequence[Racks]
    read_s: float | None = None  # monotonic time of the last good reading
    jobs: int = 0
    _nodes: Mapping[str, SlurmNode] = field(default_factory=dict)
    _turn: int = 0
    _fault: str = ""

    async def run(self) -> None:
        """Follow until cancelled; while Slurm does not answer the racks stay as they are."""
        while True:
            began = time.monotonic()
            await self.refresh()
            await asyncio.sleep(max(POLL_S, COST_SHARE * (time.monotonic() - began)))

    async def refresh(self) -> None:
        """Read once and set the racks."""
        try:
            if self._turn % NODES_EVERY == 0:
                self._nodes = {node.name: node for node in await self.slurm.nodes()}
            running = await self.slurm.jobs()
        except LinkError as error:
            self._say(str(error))
            return
        self._turn += 1
        self._say("")
        self.read_s, self.jobs = time.monotonic(), len(running)
        for racks in self.racks:
            racks.occupied = occupied(running, self._nodes, self.scheduling, racks.index)

    def shown(self) -> dict[str, object]:
        """How the following stands."""
        age_s = None if self.read_s is None else time.monotonic() - self.read_s
        return {"external": self.scheduling.kind, "running_jobs": self.jobs, "read_age_s": age_s}

    def _say(self, fault: str) -> None:
        if fault != self._fault:
            LOG.warning("Slurm: %s", fault or "it answers again")
        self._fault = fault


def follower_of(site: Site, plants: Sequence[Plant]) -> Follower | None:
    """Who brings a real scheduler's jobs onto the racks, where the site has one."""
    scheduling = site.scheduler
    if scheduling.kind == "simulated":
        return None
    reader = SlurmReader(scheduling.slurm_conf, scheduling.programs)
    return Follower(reader, scheduling, [plant.racks for plant in plants])


def occupied(
    jobs: Iterable[RunningJob],
    nodes: Mapping[str, SlurmNode],
    scheduling: Scheduling,
    index: Mapping[str, int],
) -> Occupied:
    """Which part of each rack's GPUs is in use, and which part is switched off.

    A node's busy share of its GPUs is that of the racks it stands for; what no node stands for is idle.
    """
    found, of = Occupied.none(len(index)), scheduling.racks_of

    def load(used: Series, node: str, share: float) -> None:
        for rack, part in of.get(node, ()):
            used[index[rack]] += part * share

    for job in jobs:
        used = found.flexible if is_flexible(job, scheduling) else found.urgent
        for name, gpus in job.gpus.items():
            node = nodes.get(name)
            if node is not None and node.gpus > 0:
                load(used, name, min(1.0, gpus / node.gpus))
    for node in nodes.values():
        if node.off:
            load(found.off, node.name, 1.0)
    return found


def is_flexible(job: RunningJob, scheduling: Scheduling) -> bool:
    """Whether the site's rule lets the job be moved."""
    words = job.comment.split()
    if scheduling.urgent_comment in words:
        return False
    listed = job.partition in scheduling.flexible_partitions or job.qos in scheduling.flexible_qos
    return listed or scheduling.flexible_comment in words
