"""What people ask of the scheduler's nodes: power for those that nothing runs on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.executor import Executor, Outcome
from igoudar.control.actuation.refusal import raise_refused
from igoudar.control.actuation.schedulers import Node, NodePower, Scheduler
from igoudar.control.errors import UnknownNameError
from igoudar.control.operator import LIFE
from igoudar.core.errors import CommandError
from igoudar.core.said import said

VERBS = {"power-down": "power_down", "power-up": "power_up"}


@dataclass(slots=True)
class Nodes:
    """Powers nodes for people.

    Args:
        scheduler: Asked for its nodes before each wish, and again by its adapter just before it is done.
        executor: Carries it out.
        speed: Site seconds per wall second.
    """

    scheduler: Scheduler
    executor: Executor
    speed: float = 1.0

    async def listed(self) -> Sequence[Node]:
        """All nodes of the site.

        Raises:
            CommandError: its scheduler has none that could be powered.
        """
        return await self._power().nodes()

    async def wish(self, name: str, verb: str, who: str, reason: str, now: datetime) -> tuple[Command, Node]:
        """The command that a wish means, and the node as it is; nothing is done.

        Raises:
            UnknownNameError: no such node.
            CommandError: the scheduler can't.
        """
        node = next((one for one in await self.listed() if one.name == name), None)
        if node is None:
            raise said(UnknownNameError, "refusal.no_node", where=name[:60])
        command = Command(
            command_id=uuid4().hex,
            actuator=ActuatorClass.JOBS,
            target=node.name,
            point=VERBS[verb],
            issued_at=now,
            expires_at=now + LIFE * self.speed,
            origin=Origin.OPERATOR,
            who=who,
            code="control.operator",
            params={"who": who, "reason": reason, "state": node.state},
            approved_by=(who,),
        )
        return command, node

    async def act(self, name: str, verb: str, who: str, reason: str, now: datetime) -> Outcome:
        """Turn a node off or on.

        Raises:
            UnknownNameError: no such node.
            CommandError: it is not idle and drained (off: not off), or it was refused.
        """
        command, _ = await self.wish(name, verb, who, reason, now)
        (outcome,) = await self.executor.submit([command], now)
        raise_refused(outcome)
        return outcome

    def _power(self) -> NodePower:
        if isinstance(self.scheduler, NodePower):
            return self.scheduler
        raise said(CommandError, "refusal.no_node_power", where="scheduler")


def unfit(node: Node, point: str) -> str:
    """Why the adapter would refuse it now: not_drained or not_off; "" = it would not."""
    if point == "power_down":
        return "" if node.idle_and_drained else "not_drained"
    return "" if node.off else "not_off"
