"""`[scheduler]`: which scheduler runs the site's jobs, and what of its work may be moved."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Annotated, Literal

from pydantic import Field

from igoudar.core.errors import ConfigError
from igoudar.core.model_scheduler import NodeRacks, Scheduling, deal
from igoudar.core.pattern import expand
from igoudar.core.site_words import AbsoluteFile, Table, Words
from igoudar.core.strict_toml import nearest

Label = Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Mark = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_.:-]+$")]
SLURM_ONLY = (
    "slurm_conf",
    "programs",
    "flexible_partitions",
    "flexible_qos",
    "watts_licence",
    "racks_per_node",
)


class SchedulerTable(Table):
    """The scheduler; `racks_per_node` says which racks its nodes stand for, both written as patterns.

    The racks of one line are dealt evenly over its nodes, in order: 8 nodes for 8 racks are one each, 64
    nodes for 290 racks 4.53 each.
    """

    kind: Literal["simulated", "slurm"] = "simulated"
    slurm_conf: AbsoluteFile = ""
    programs: AbsoluteFile = ""
    flexible_partitions: list[Label] = Field(default_factory=list)
    flexible_comment: Mark = "igoudar:flexible"
    urgent_comment: Mark = "igoudar:urgent"
    flexible_qos: list[Label] = Field(default_factory=list)
    watts_licence: Annotated[str, Field(max_length=60, pattern=r"^([A-Za-z][A-Za-z0-9_.-]*)?$")] = ""
    racks_per_node: dict[Words, list[Words]] = Field(default_factory=dict)


def scheduling(table: SchedulerTable) -> Scheduling:
    """The model of `[scheduler]`."""
    return Scheduling(
        kind=table.kind,
        slurm_conf=table.slurm_conf,
        programs=table.programs,
        flexible_partitions=frozenset(table.flexible_partitions),
        flexible_comment=table.flexible_comment,
        urgent_comment=table.urgent_comment,
        flexible_qos=frozenset(table.flexible_qos),
        watts_licence=table.watts_licence,
        nodes=tuple(node for dealt in _dealt(table, "scheduler.racks_per_node") for node in dealt),
    )


def check_scheduler(table: SchedulerTable, racks: Collection[str], where: str) -> Iterator[ConfigError]:
    """What is wrong with `[scheduler]`, given the names of the site's racks."""
    if table.kind == "simulated":
        yield from _simulated(table, where)
        return
    if not table.slurm_conf:
        fix = 'add slurm_conf = "/etc/slurm/slurm.conf"'
        yield ConfigError("Slurm needs its slurm.conf", where=f"{where}: scheduler.slurm_conf", fix=fix)
    yield from _mapping(table, racks, f"{where}: scheduler.racks_per_node")


def _simulated(table: SchedulerTable, where: str) -> Iterator[ConfigError]:
    for key in SLURM_ONLY:
        if getattr(table, key):
            fix = 'add kind = "slurm", or leave it out'
            yield ConfigError(f"{key} is Slurm's", where=f"{where}: scheduler.{key}", fix=fix)


def _mapping(table: SchedulerTable, racks: Collection[str], where: str) -> Iterator[ConfigError]:
    try:
        dealt = [list(line) for line in _dealt(table, where)]
    except ConfigError as error:
        yield error
        return
    nodes = Counter(node.node for line in dealt for node in line)
    named = Counter(rack for line in dealt for rack in {rack for node in line for rack, _ in node.racks})
    for rack, times in named.items():
        if rack not in racks:
            yield ConfigError(f"there is no rack {rack!r}", where=where, fix=nearest(rack, racks, "rack"))
        elif times > 1:
            yield ConfigError(f"the rack {rack!r} stands in two lines", where=where, fix="keep one")
    for node, times in nodes.items():
        if times > 1:
            yield ConfigError(f"the node {node!r} stands here twice", where=where, fix="keep one")


def _dealt(table: SchedulerTable, where: str) -> Iterator[tuple[NodeRacks, ...]]:
    for line, patterns in table.racks_per_node.items():
        racks = [rack for pattern in patterns for rack in expand(pattern, where)]
        yield deal(list(expand(line, where)), racks)
