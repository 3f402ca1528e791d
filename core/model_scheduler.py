"""What a site says of the scheduler that runs its jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RackParts = tuple[tuple[str, float], ...]  # rack, and the part of it


@dataclass(frozen=True, slots=True)
class NodeRacks:
    """The racks that one node of the scheduler stands for, and how much of each (1 = all of its GPUs)."""

    node: str
    racks: RackParts


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Which scheduler runs the jobs, what of its work may be moved, and what its nodes stand for.

    A job is flexible when it is in one of `flexible_partitions` or `flexible_qos`, or its comment has
    `flexible_comment` as a word; `urgent_comment` as a word makes it urgent whatever else it says.
    """

    kind: str = "simulated"  # simulated | slurm
    slurm_conf: str = ""
    programs: str = ""  # the folder of squeue and scontrol, "" = those on PATH
    flexible_partitions: frozenset[str] = frozenset()
    flexible_comment: str = "igoudar:flexible"
    urgent_comment: str = "igoudar:urgent"
    flexible_qos: frozenset[str] = frozenset()
    watts_licence: str = ""  # the licence that jobs ask of, one for each watt; "" = no power budget
    nodes: tuple[NodeRacks, ...] = ()

    @property
    def racks_of(self) -> Mapping[str, RackParts]:
        """Racks by node."""
        return {node.node: node.racks for node in self.nodes}


def deal(nodes: Sequence[str], racks: Sequence[str]) -> tuple[NodeRacks, ...]:
    """Racks dealt evenly over nodes, in order: each node stands for the same share of all the racks."""
    return tuple(
        NodeRacks(node, tuple(_share(number, len(nodes), racks))) for number, node in enumerate(nodes)
    )


def _share(number: int, nodes: int, racks: Sequence[str]) -> list[tuple[str, float]]:
    """In units of 1/nodes of a rack, so that whole numbers decide where a share begins and ends."""
    begin, end = number * len(racks), (number + 1) * len(racks)
    overlaps = (
        (rack, min(end, (place + 1) * nodes) - max(begin, place * nodes)) for place, rack in enumerate(racks)
    )
    return [(rack, overlap / nodes) for rack, overlap in overlaps if overlap > 0]
