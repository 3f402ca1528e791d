"""Setpoints on their way: a slow device must not hold up the answer of all the others."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.executor import Outcome
from igoudar.control.demand_response.levers import Levers
from igoudar.control.demand_response.memory import WISH, Effect, Memory

QUICK_S = 2.0  # wall: who answers within this is waited for
AT_ONCE = 16  # commands between two signs of life


class Carrier(Protocol):
    """Carries commands out: the executor."""

    async def submit(self, commands: Sequence[Command], now: datetime) -> list[Outcome]:
        """One outcome per command."""
        ...


async def in_parts(
    carrier: Carrier, commands: Sequence[Command], now: datetime, progress: Callable[[], object]
) -> list[Outcome]:
    """Many commands in parts; each part that is over is a sign of life."""
    outcomes: list[Outcome] = []
    progress()
    for first in range(0, len(commands), AT_ONCE):
        outcomes += await carrier.submit(commands[first : first + AT_ONCE], now)
        progress()
    return outcomes


@dataclass(slots=True)
class Flight:
    """At most one batch at a time; what has not answered quickly is looked for in the next cycle."""

    carrier: Carrier
    _task: "asyncio.Task[list[Outcome]] | None" = None
    _commands: tuple[Command, ...] = field(default=())

    @property
    def busy(self) -> bool:
        """Whether something is still on its way."""
        return self._task is not None and not self._task.done()

    async def send(self, commands: Sequence[Command], now: datetime) -> list[Outcome]:
        """Start a batch; its outcomes, if they come quickly."""
        self._commands = tuple(commands)
        self._task = asyncio.create_task(self.carrier.submit(commands, now))
        await asyncio.wait({self._task}, timeout=QUICK_S)
        return self.landed()

    def landed(self) -> list[Outcome]:
        """Outcomes of a batch that has landed meanwhile, once."""
        if self._task is None or self.busy:
            return []
        task, self._task, self._commands = self._task, None, ()
        return [] if task.cancelled() else task.result()

    async def stop(self) -> None:
        """Give up what is on its way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def unexpected(self, memory: Memory) -> Memory:
        """The memory without what is on its way."""
        names = {command.target for command in self._commands}
        return replace(memory, effects=tuple(one for one in memory.effects if one.what not in names))

    def expected(self, memory: Memory, levers: Levers, now: datetime) -> Memory:
        """The memory with what is on its way taken as done; what has landed tells itself."""
        if not self.busy:
            return memory
        now_w = levers.battery.now_w if levers.battery else 0.0
        for command in self._commands:
            wish_w = command.params.get(WISH)
            if isinstance(wish_w, float):
                memory = memory.asked(wish_w, now_w, now)
        caps = {one.target: one for one in levers.caps}
        going = [one for one in self._commands if one.actuator is ActuatorClass.CAPS and one.target in caps]
        effects = [
            Effect(now, one.target, change, change)
            for one in going
            if (change := min(0.0, (one.value or 0.0) - caps[one.target].now_w)) < 0.0
        ]
        return replace(memory, effects=(*memory.effects, *effects))


def forgotten(memory: Memory, outcomes: Sequence[Outcome]) -> Memory:
    """Without what was expected of commands that have landed now."""
    names = {one.command.target for one in outcomes}
    return replace(memory, effects=tuple(one for one in memory.effects if one.what not in names))
