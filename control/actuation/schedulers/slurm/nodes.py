"""Nodes as Slurm lists them: one record each (22.05), or rows of nodes that are alike (23.02 and later)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from igoudar.control.actuation.schedulers import Node
from igoudar.control.actuation.schedulers.slurm.document import AnswerError, Fields, records
from igoudar.control.actuation.schedulers.slurm.jobs import gpus_of

BROKEN = frozenset(
    {"DOWN", "DRAIN", "FAIL", "FAILING", "FUTURE", "ERROR", "UNKNOWN", "INVALID", "INVALID_REG"}
)
AWAY = frozenset({"MAINTENANCE", "MAINT", "NOT_RESPONDING", "NO_RESPOND", "REBOOT", "REBOOT_ISSUED"})
OFF = frozenset({"POWERED_DOWN", "POWERING_DOWN", "POWER_DOWN"})


@dataclass(frozen=True, slots=True)
class SlurmNode:
    """One node and its GPUs."""

    name: str
    states: frozenset[str]
    partitions: frozenset[str]
    gpus: int
    gpus_used: int

    @property
    def usable(self) -> bool:
        """Jobs can start on it."""
        return not self.states & (BROKEN | AWAY | OFF)

    @property
    def idle_and_drained(self) -> bool:
        """Nothing runs on it, and nothing will."""
        return "IDLE" in self.states and "DRAIN" in self.states and not self.states & OFF

    @property
    def off(self) -> bool:
        """Powered down."""
        return bool(self.states & OFF)

    def shown(self) -> Node:
        """As other rooms know it."""
        state = "+".join(sorted(self.states)).lower()
        return Node(self.name, state, self.gpus, self.idle_and_drained, self.off)


def read_nodes(text: bytes) -> dict[str, SlurmNode]:
    """All nodes of `sinfo --json` by name; one that is in several partitions is one node.

    Raises:
        AnswerError: naming version and field, for an answer that can't be read.
    """
    found: dict[str, SlurmNode] = {}
    for fields in records(text, "nodes", "sinfo"):
        for node in _nodes(fields):
            known = found.get(node.name)
            found[node.name] = (
                replace(known, partitions=known.partitions | node.partitions) if known else node
            )
    return found


def _nodes(fields: Fields) -> Iterator[SlurmNode]:
    if "name" in fields.values:
        states = (*fields.words("state"), *fields.words("state_flags"))
        yield _node(fields.text("name"), states, fields.words("partitions"), fields)
        return
    names = fields.inner("nodes").words("nodes")
    if not names:
        raise AnswerError("neither name nor nodes.nodes", where=fields.where)
    states, gres = fields.inner("node").words("state"), fields.inner("gres")
    partition = fields.inner("partition").text("name")
    for name in names:
        one = Fields({"gres": gres.values.get("total"), "gres_used": gres.values.get("used")}, fields.where)
        yield _node(name, states, (partition,), one)


def _node(name: str, states: tuple[str, ...], partitions: tuple[str, ...], fields: Fields) -> SlurmNode:
    if not states:
        raise AnswerError("state is missing", where=fields.where)
    return SlurmNode(
        name=name,
        states=frozenset(word.upper() for word in states),
        partitions=frozenset(partitions),
        gpus=gpus_of([fields.text("gres")]),
        gpus_used=gpus_of([fields.text("gres_used")]),
    )
