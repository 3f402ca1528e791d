"""Where commands leave the control process: the scheduler, and the collector that owns every device."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from igoudar.collectors.client import CollectClient
from igoudar.collectors.results import Error, Rejected, Result, Success
from igoudar.control.actuation.command import Command
from igoudar.control.actuation.schedulers import Budgets, NodePower, RefusedError, Requeues, Scheduler
from igoudar.core import handsoff
from igoudar.core.errors import CommandError, LinkError, StoreError
from igoudar.core.model import Setpoint


class Suspends(Protocol):
    """Keeps who is suspended and by when each must run again, before the call that suspends."""

    def suspended(self, job_id: str, resume_by: datetime, command: Command) -> None:
        """On disk when this returns."""
        ...

    def resumed(self, job_id: str, at: datetime) -> None:
        """It runs again."""
        ...


@dataclass(slots=True)
class SchedulerLink:
    """Verbs of a scheduler.

    Args:
        scheduler: Does them.
        suspends: Keeps the resume-by of each suspended job.
        state: The state folder, for hands-off.
        now: Site time.
    """

    scheduler: Scheduler
    suspends: Suspends
    state: Path
    now: Callable[[], datetime]

    async def carry(self, command: Command) -> Result:
        """One call; what the scheduler answers becomes a result."""
        if handsoff.is_on(self.state):
            return Rejected("hands_off")
        verb = self._verbs().get(command.point)
        if verb is None:
            return Rejected("unknown_verb")
        try:
            await verb(command)
        except RefusedError as refused:
            return Rejected(refused.reason, refused.what)
        except CommandError as refused:  # mostly a job that has gone on since it was looked at
            return Rejected("refused", refused.what)
        except (LinkError, StoreError) as error:
            return Error(str(error))
        return Success(command.value if command.value is not None else 0.0)

    def _verbs(self) -> Mapping[str, Callable[[Command], Awaitable[None]]]:
        found: dict[str, Callable[[Command], Awaitable[None]]] = {
            "delay": self._delay,
            "release": lambda command: self.scheduler.release(command.target),
            "suspend": self._suspend,
            "resume": self._resume,
        }
        scheduler = self.scheduler
        if isinstance(scheduler, Requeues):
            found["requeue"] = lambda command: scheduler.requeue(command.target)
        if isinstance(scheduler, NodePower):
            found["power_down"] = lambda command: scheduler.power_down(command.target)
            found["power_up"] = lambda command: scheduler.power_up(command.target)
        if isinstance(scheduler, Budgets):
            found["budget"] = lambda command: _budget(scheduler, command)
        return found

    async def _delay(self, command: Command) -> None:
        await self.scheduler.delay(command.target, _until(command))

    async def _suspend(self, command: Command) -> None:
        self.suspends.suspended(command.target, _until(command), command)
        await self.scheduler.suspend(command.target)

    async def _resume(self, command: Command) -> None:
        await self.scheduler.resume(command.target)
        self.suspends.resumed(command.target, self.now())


@dataclass(slots=True)
class CollectLink:
    """Setpoints of devices, over the collector's socket; it checks each again before its wire.

    Args:
        socket: `STATE/collect.sock`.
        epoch: Of the lease, now.
    """

    socket: Path
    epoch: Callable[[], int]
    _client: CollectClient | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def carry(self, command: Command) -> Result:
        """One guarded write."""
        if command.value is None:
            return Rejected("not_a_number")
        try:
            client = await self.client()
            return await client.write(_setpoint(command, command.value, self.epoch()))
        except (LinkError, OSError, TimeoutError) as error:
            await self.close()
            return Error(str(error) or type(error).__name__)

    async def client(self) -> CollectClient:
        """The connection, opened again after a fault.

        Raises:
            LinkError: the collector does not answer.
        """
        if self._client is None:
            self._client = await self._stack.enter_async_context(CollectClient(self.socket))
        return self._client

    async def close(self) -> None:
        """Drop the connection."""
        stack, self._stack, self._client = self._stack, AsyncExitStack(), None
        await stack.aclose()


async def _budget(scheduler: Budgets, command: Command) -> None:
    """Without a value there is no budget any more."""
    if command.value is None:
        await scheduler.clear_budget()
    else:
        await scheduler.set_budget(command.value, _until(command))


def _until(command: Command) -> datetime:
    if command.until is None:
        raise CommandError("a time is missing: until when", where=command.target)
    return command.until


def _setpoint(command: Command, value: float, epoch: int) -> Setpoint:
    return Setpoint(
        device=command.target,
        point=command.point,
        value=value,
        expires_at=command.expires_at,
        command_id=command.command_id,
        reason=command.code,
        actuator=command.actuator.value,
        origin=command.origin.value,
        epoch=epoch,
        approved_by=", ".join(command.approved_by),
    )
