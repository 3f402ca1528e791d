"""The plan in force: asked for in time, kept when the next one fails, and never silent about which it is."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from igoudar.control.planner.ask import Ask, NoPlan, Plan
from igoudar.control.planner.worker import LostError
from igoudar.control.planning.policy import Why

Source = Literal["optimal", "last_safe", "greedy", "none"]  # as schema.PlanView says it
log = logging.getLogger(__name__)
PERIOD_S, PERIOD_WALL_S = 600.0, 2.0  # between questions: of site time, and never less on the wall
FIRST_LIMIT_S, LIMIT_S = 60.0, 15.0  # wall; the first answer loads and learns
SAFE = timedelta(hours=6)  # a plan older than this is no guide any more
PERIODS_SAFE = 3


class Solves(Protocol):
    """Answers one question in another process."""

    async def answer(self, ask: Ask, limit_s: float) -> Plan | NoPlan:
        """A plan, or why there is none; TimeoutError and LostError when it never came."""
        ...

    def close(self) -> None:
        """Kill what runs."""
        ...


@dataclass(frozen=True, slots=True)
class InForce:
    """What dispatch follows now, and why that."""

    source: Source
    why: Why
    plan: Plan | None = None


NOTHING_YET = InForce("greedy", Why("planner.starting"))


class PlanService:
    """Asks for a plan in the background; `in_force` is always something safe."""

    def __init__(self, solver: Solves, speed: float, wall: Callable[[], float] = time.monotonic) -> None:
        self._solver, self._wall = solver, wall
        self._period = timedelta(seconds=max(PERIOD_S, PERIOD_WALL_S * speed))
        self._task: asyncio.Task[None] | None = None
        self._asked_at: datetime | None = None
        self._asked_wall = -PERIOD_WALL_S
        self._plan: Plan | None = None
        self._failed: Why | None = None
        self._answers = 0

    def due(self, now: datetime) -> bool:
        """Whether it is time to ask again."""
        if self._task is not None and not self._task.done():
            return False
        if self._wall() - self._asked_wall < PERIOD_WALL_S:
            return False
        return self._asked_at is None or now - self._asked_at >= self._period

    def ask(self, ask: Ask, now: datetime) -> None:
        """Begin a solve in the background."""
        self._asked_at, self._asked_wall = now, self._wall()
        self._task = asyncio.create_task(self._solve(ask), name="plan")

    async def settled(self) -> None:
        """Wait for the answer to the last question."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def close(self) -> None:
        """Stop asking and end the worker."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        self._solver.close()

    def in_force(self, now: datetime) -> InForce:
        """The newest plan, the last safe one, or the greedy rules without any."""
        plan = self._plan
        if plan is None:
            return InForce("greedy", self._failed) if self._failed else NOTHING_YET
        age = now - plan.issued_at
        if age > SAFE + PERIODS_SAFE * self._period or plan.step(now) is None:
            return InForce("greedy", self._failed or Why("planner.too_old", {"issued": plan.issued_at}))
        if self._failed is not None:
            return InForce("last_safe", self._failed, plan)
        if age > PERIODS_SAFE * self._period:
            return InForce("last_safe", Why("planner.late", {"issued": plan.issued_at}), plan)
        return InForce("optimal", Why("planner.solved", {"seconds": round(plan.solve_s, 2)}), plan)

    async def _solve(self, ask: Ask) -> None:
        limit_s = LIMIT_S if self._answers else FIRST_LIMIT_S
        try:
            answer = await self._solver.answer(ask, limit_s)
        except TimeoutError:
            self._failed = Why("planner.timed_out", {"seconds": limit_s})
        except LostError as error:
            self._failed = Why("planner.lost", {"error": str(error)})
        except Exception as error:
            log.warning("no plan", exc_info=error)
            self._failed = Why("planner.fault", {"error": f"{type(error).__name__}: {error}"})
        else:
            self._answers += 1
            self._take(answer)

    def _take(self, answer: Plan | NoPlan) -> None:
        if isinstance(answer, NoPlan):
            self._failed = answer.why
        else:
            self._plan, self._failed = answer, None
