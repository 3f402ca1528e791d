"""Caps of GPUs: to the agents of their nodes, renewed while control lives, and looked after across boots."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Result, Success
from igoudar.control.actuation.cap_client import CapClient, Held
from igoudar.control.actuation.command import Command
from igoudar.control.actuation.executor import Link
from igoudar.core import handsoff
from igoudar.core.clock import Clock
from igoudar.core.errors import LinkError
from igoudar.core.model_caps import CapAgent, Capping

LOG = logging.getLogger(__name__)

POINT, WHOLE = "gpu_limit_w", "power_limit_w"  # of each GPU, or of all GPUs of the node together
LOOK_S = 10.0  # wall: between looks at what the agents' GPUs hold
SAME_W = 1.0
AT_ONCE = 32  # agents asked at the same time


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cap that stands until its command's end; the agent has it for a shorter life, renewed in time."""

    command: Command
    limit_w: float
    command_id: str  # the newest that was sent for it
    boot_id: str = ""  # of the node when it was last looked at
    renewals: int = 0


@dataclass(frozen=True, slots=True)
class CapFinding:
    """What a look found at one node that is not as it was left."""

    node: str
    code: str  # rebooted | restored | lost | unreachable
    detail: str = ""


@dataclass(slots=True)
class CapAgentLink:
    """Carries caps to agents; a target is a node, `gpu_limit_w` the limit of each of its GPUs.

    `power_limit_w` is the limit of all of them together, shared out evenly.

    Args:
        capping: The site's agents and limits.
        state: The state folder, for hands-off.
        clock: Site time; lives on the wire are wall seconds.
        client: The way to the agents.
        epoch: Of the lease, told to the agents; None = there is none.
        held: Whether the lease is ours just now.
    """

    capping: Capping
    state: Path
    clock: Clock
    client: CapClient
    epoch: Callable[[], int | None] = lambda: None
    held: Callable[[], bool] = lambda: True
    wanted: dict[str, Wanted] = field(default_factory=dict)

    def knows(self, target: str) -> bool:
        """Whether a node of this name has an agent."""
        return target in self.capping.by_node

    async def carry(self, command: Command) -> Result:
        """One cap for a node; what the agent answers becomes the result."""
        refused = self._refused(command)
        if refused is not None:
            return refused
        agent, limit_w = self.capping.by_node[command.target], self._each_w(command)
        result = await self._put(agent, Wanted(command, limit_w, command.command_id))
        if isinstance(result, Success | Partial):
            self.wanted[agent.node] = Wanted(command, limit_w, command.command_id)
        return _together(result, self._count(command))

    async def watch(self) -> Sequence[CapFinding]:
        """Look at every capped node: renew what stands, put back what a boot has lost, say what was found."""
        now = self.clock.now()
        for node in [node for node, one in self.wanted.items() if one.command.expires_at <= now]:
            del self.wanted[node]
        room = asyncio.Semaphore(AT_ONCE)

        async def one(node: str) -> list[CapFinding]:
            async with room:
                return await self._look(self.capping.by_node[node], self.wanted[node])

        found = await asyncio.gather(*(one(node) for node in tuple(self.wanted)))
        return [finding for findings in found for finding in findings]

    async def run(self, tell: Callable[[Sequence[CapFinding]], None]) -> None:
        """Watch until cancelled; `tell` hears what each look found, nothing included."""
        while True:
            await asyncio.sleep(LOOK_S)
            tell(await self.watch())

    def _refused(self, command: Command) -> Result | None:
        if self._hands_off():
            return Rejected("hands_off")
        if not self.held():
            return Rejected("no_lease")
        if not self.knows(command.target):
            return Rejected("unknown_device")
        if command.point not in (POINT, WHOLE):
            return Rejected("unknown_point")
        if command.value is None:
            return Rejected("not_a_number")
        low, high = self.capping.minimum_w, self.capping.default_w
        if not low <= self._each_w(command) <= high:
            count = self._count(command)
            return OutOfBounds(low * count, high * count)
        return Rejected("expired") if command.expires_at <= self.clock.now() else None

    def _count(self, command: Command) -> int:
        """GPUs that share the command's value."""
        return self.capping.by_node[command.target].gpus if command.point == WHOLE else 1

    def _each_w(self, command: Command) -> float:
        """The limit of one GPU."""
        return float(command.value or 0.0) / self._count(command)

    def _hands_off(self) -> bool:
        return handsoff.is_on(self.state)

    async def _put(self, agent: CapAgent, wanted: Wanted) -> Result:
        """Ask for the rest of the command's time, at most one life."""
        life_s = round(min(max(self._left_s(wanted), 1.0), self.capping.life_s), 3)
        body = {"command_id": wanted.command_id, "limit_w": wanted.limit_w, "life_s": life_s}
        epoch = self.epoch()
        return await self.client.put(agent, body if epoch is None else {**body, "epoch": epoch})

    def _left_s(self, wanted: Wanted) -> float:
        """Of the command's time (wall) [s]."""
        return (wanted.command.expires_at - self.clock.now()).total_seconds() / self.clock.speed

    def _short(self, held: Held, wanted: Wanted) -> bool:
        """Whether the agent's cap ends too soon."""
        return held.left_s < min(self.capping.life_s / 2, self._left_s(wanted) - 2 * LOOK_S)

    async def _look(self, agent: CapAgent, wanted: Wanted) -> list[CapFinding]:
        try:
            held = await self.client.held(agent)
        except LinkError as error:
            return [CapFinding(agent.node, "unreachable", str(error))]
        if self.wanted.get(agent.node) is not wanted:
            return []  # a newer cap went out meanwhile: the next look is about that one
        booted = bool(wanted.boot_id) and held.boot_id != wanted.boot_id
        findings = [CapFinding(agent.node, "rebooted", held.boot_id)] if booted else []
        wanted = replace(wanted, boot_id=held.boot_id)
        self.wanted[agent.node] = wanted
        astray = _astray(held, wanted)
        if astray or self._short(held, wanted):
            findings += await self._renew(agent, wanted, astray)
        return findings

    async def _renew(self, agent: CapAgent, wanted: Wanted, astray: str) -> list[CapFinding]:
        """Send the cap again, under a command id of its own: the agent does none twice."""
        if self._hands_off() or not self.held():
            return [CapFinding(agent.node, "lost", astray)] if astray else []
        count = wanted.renewals + 1
        again = replace(wanted, renewals=count, command_id=f"{wanted.command.command_id}~{count}")
        self.wanted[agent.node] = again
        result = await self._put(agent, again)
        if not isinstance(result, Success):
            return [CapFinding(agent.node, "lost", _why(result))]
        return [CapFinding(agent.node, "restored", astray)] if astray else []


@dataclass(slots=True)
class CapsLink:
    """Caps of a site that has agents: a node's go to its agent, a power shelf's to the collector."""

    devices: Link
    agents: CapAgentLink

    async def carry(self, command: Command) -> Result:
        """See Link."""
        link: Link = self.agents if self.agents.knows(command.target) else self.devices
        return await link.carry(command)

    async def close(self) -> None:
        """Drop the agents' connections; the collector's is dropped by whoever shares it."""
        await self.agents.client.close()


def _astray(held: Held, wanted: Wanted) -> str:
    """What the node's GPUs hold instead, "" when all hold what is wanted."""
    others = [w for w in held.limits_w.values() if abs(w - wanted.limit_w) > SAME_W]
    return f"{len(others)} of {len(held.limits_w)} GPUs hold {max(others):g} W" if others else ""


def _together(result: Result, gpus: int) -> Result:
    """The agent's answer for one GPU, in the unit of the command."""
    match result:
        case Success(value) | Partial(value, _):
            return replace(result, value=value * gpus)
        case OutOfBounds(low, high):
            return OutOfBounds(low * gpus, high * gpus)
        case _:
            return result


def _why(result: Result) -> str:
    match result:
        case Error(detail):
            return detail
        case Rejected(reason):
            return reason
        case Partial(_, missing):
            return missing
        case OutOfBounds(low, high):
            return f"only {low:g} to {high:g} W"
        case _:
            return ""
