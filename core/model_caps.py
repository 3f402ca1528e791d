"""Power caps of GPUs: the agents of a site, and what they are asked at most."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CapAgent:
    """One GPU node's agent."""

    node: str  # the name that commands are addressed to, and that its certificate carries
    url: str  # https://HOST:PORT
    racks: tuple[str, ...]  # where its GPUs stand
    gpus: int


@dataclass(frozen=True, slots=True)
class Capping:
    """`[caps]` of a site file; powers are of one GPU [W]."""

    agents: tuple[CapAgent, ...] = ()
    ca: str = ""
    certificate: str = ""
    key: str = ""
    minimum_w: float = 0.0
    default_w: float = 0.0  # the standing limit: nothing higher is ever asked for
    life_s: float = 900.0  # wall: a cap that is not renewed ends by itself

    @property
    def by_node(self) -> Mapping[str, CapAgent]:
        """The agents by name."""
        return {agent.node: agent for agent in self.agents}
