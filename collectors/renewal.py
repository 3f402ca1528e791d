"""What stands on devices by our doing: renewed while it is wanted and control turns, else given back."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from igoudar.collectors import procedure
from igoudar.collectors.actuate import Actuator
from igoudar.collectors.authority import LONGEST_WRITE_S
from igoudar.collectors.checks.pace import Place
from igoudar.collectors.faults import Backoff, LinkFault
from igoudar.collectors.holds import Held
from igoudar.collectors.procedure import TAKEN, Order
from igoudar.collectors.results import Error, Partial, Rejected, Result

LOG = logging.getLogger(__name__)

TICK_S = 0.5  # wall
STOP_S = 5.0  # wall: how long a clean stop may take to give everything back
TRIES = 5  # of giving one setpoint back: then it is lost, though one without a timer is tried for ever
LONGEST_PAUSE_S = 60.0  # wall: between two of them

Deed = Literal["keep", "renew", "release", "forget"]

GIVEN_UP = ("observe", "not_approved", "overridden", "interlock")
"""Refusals of a setpoint that stands which mean that it is not wanted any more."""


def deed(held: Held, refusal: Rejected | None, now: datetime, *, turned: bool) -> Deed:
    """What to do about a setpoint that stands; pure.

    Args:
        held: It.
        refusal: What would forbid writing it now.
        now: Site time.
        turned: Whether the control loop has turned since it was last written.
    """
    age_s = (now - held.renewed_at).total_seconds()
    if held.timed and age_s >= 2 * held.timer_s:
        return "forget"  # its timer has run out: it is not ours any more
    if now >= held.wish.expires_at or (refusal is not None and refusal.reason in GIVEN_UP):
        return "release"
    if refusal is not None or not held.timer_s:
        return "keep"
    return "renew" if turned and age_s >= held.timer_s / 3 else "keep"


NOT_NOW = (Rejected("hands_off"), Rejected("no_authority"))
"""Refusals of giving back that may pass."""


class Renewal:
    """Looks after what the actuator has set.

    Args:
        actuator: Holds it, and whose turn it is at each device.
    """

    def __init__(self, actuator: Actuator) -> None:
        self._actuator, self._gate, self._holds = actuator, actuator.gate, actuator.holds
        self._busy: set[Place] = set()
        self._pauses: dict[Place, Backoff] = {}  # of what could not be given back

    async def run(self) -> None:
        """Look after everything until cancelled: at each turn of control, and at each tick."""
        turned = self._gate.mandate.turned
        async with asyncio.TaskGroup() as group:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK_S):
                        await turned.wait()
                turned.clear()
                group.create_task(self.round())  # beside the last one: a slow device keeps no other waiting

    async def round(self) -> None:
        """Look after everything that is not being looked after."""
        idle = [held for held in self._holds if held.place not in self._busy]
        await asyncio.gather(*(self._safely(self._look_after, held) for held in idle))

    async def stop(self) -> None:
        """Take no more, let what is on its way end, and give everything back as far as time allows."""
        self._gate.stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                devices = {*self._actuator.turns, *(held.wish.device for held in self._holds)}
                await asyncio.gather(*map(self._leave, devices))

    async def _leave(self, device: str) -> None:
        async with self._actuator.turns[device]:
            pass
        for held in self._holds.of(device):
            await self._safely(self._give_back, held)

    async def _safely(self, work: Callable[[Held], Awaitable[None]], held: Held) -> None:
        try:
            await work(held)
        except Exception as error:  # noqa: BLE001 - one device must not end the others
            LOG.error("%s %s could not be looked after: %r", *held.place, error)

    async def _look_after(self, held: Held) -> None:
        self._busy.add(held.place)
        try:
            match self._deed(held):
                case "forget":
                    self._holds.drop(held)
                case "renew":
                    await self._renew(held)
                case "release" if self._due(held):
                    await self._give_back(held)
        finally:
            self._busy.discard(held.place)

    def _deed(self, held: Held) -> Deed:
        if not self._actuator.knows(held.wish):
            return "forget"
        if not self._gate.mandate.valid:  # nobody wants it any more, and for a while nobody else writes
            return "release" if self._gate.may_release() else "keep"
        refusal, cycle = self._gate.refusal(held.wish), self._gate.mandate.cycle
        turned = cycle > held.renewed_cycle and not self._actuator.rules(held.wish).eeprom
        reason = refusal if isinstance(refusal, Rejected) else None
        return deed(held, reason, self._actuator.now(), turned=turned)

    async def _renew(self, held: Held) -> None:
        async with self._actuator.turns[held.wish.device]:
            if self._holds.at(held.place) is not held:
                return
            result = await self._done(held, release=False)
            if result == TAKEN:
                LOG.warning("%s %s does not hold what was set", *held.place)
                self._holds.drop(held, lost=True)
            elif not isinstance(result, Rejected | Error):
                cycle = self._gate.mandate.cycle
                self._holds.put(replace(held, renewed_at=self._actuator.now(), renewed_cycle=cycle))

    async def _give_back(self, held: Held) -> None:
        async with self._actuator.turns[held.wish.device]:
            if self._holds.at(held.place) is not held or not self._gate.may_release():
                return
            result = await self._done(held, release=True)
            LOG.info("%s %s given back: %s", *held.place, result)
            if result in NOT_NOW:
                return
            if _stays(held, result):
                self._failed(held)
            else:
                self._pauses.pop(held.place, None)
                self._holds.drop(held)

    def _due(self, held: Held) -> bool:
        """Whether to try now; after the authority there is little time left, so no pause is kept."""
        pause = self._pauses.get(held.place) if held.failures and self._gate.mandate.valid else None
        return pause is None or pause.due(self._actuator.monotonic())

    def _failed(self, held: Held) -> None:
        """Try again later: ever more slowly, and for ever what no timer takes back."""
        failures = held.failures + 1
        if not held.failures:
            self._pauses[held.place] = Backoff(TICK_S, LONGEST_PAUSE_S, lambda: 0.5)
        self._pauses[held.place].failed(self._actuator.monotonic())
        if failures >= TRIES and held.timed:
            del self._pauses[held.place]
            self._holds.drop(held, lost=True)
            return
        if failures == TRIES:
            LOG.error("%s %s can't be given back; it is tried on", *held.place)
            self._holds.lost += 1
        self._holds.put(replace(held, failures=failures))

    async def _done(self, held: Held, *, release: bool) -> Result:
        permit = self._gate.release_permit if release else self._gate.permit(held.wish)
        try:
            async with asyncio.timeout(LONGEST_WRITE_S):
                order: Order = await self._actuator.order(held.wish, held.value, permit)
                local = await procedure.local(order.station)
                if local is not None:
                    return local
                factory = held.before if order.rules.factory is None else order.rules.factory
                return await (procedure.release(order, factory, held) if release else procedure.renew(order))
        except (LinkFault, TimeoutError) as error:
            return Error(str(error))
        except Exception as error:  # noqa: BLE001 - one device must not end the others
            LOG.error("%s %s: %r", *held.place, error)
            return Error(repr(error))


def _stays(held: Held, result: Result) -> bool:
    """Whether it still stands after a try to give it back; what a timer ends may be refused to us."""
    if isinstance(result, Rejected):
        return not held.timed and result != TAKEN
    return isinstance(result, Error | Partial)
