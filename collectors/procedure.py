"""How a setpoint is written: its timer, what must hold before, the value, its reading back, its switch."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace

from igoudar.collectors.checks.deadband import same
from igoudar.collectors.faults import LinkFault, Withheld
from igoudar.collectors.holds import Held
from igoudar.collectors.poll import Station
from igoudar.collectors.readers import Permit
from igoudar.collectors.results import Error, Partial, Rejected, Result, Success
from igoudar.core.model import Point, Writable

LOOK_S = 0.05  # wall: between two looks at a point that does not show its new value yet
TAKEN = Rejected("taken")  # the device does not hold what we gave it: somebody else drives it


@dataclass(frozen=True, slots=True)
class Order:
    """One setpoint on its way to its device."""

    station: Station
    point: Point
    rules: Writable
    value: float
    before: float  # what the device held
    timer_s: float  # what the reversion timer is armed with, site time
    permit: Permit

    def companion(self, name: str) -> Point:
        """A point that is written along."""
        return self.station.profile.points[name]


class Halt(Exception):  # noqa: N818 - ends a procedure early; its result is the answer
    """The procedure ends here."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


async def local(station: Station) -> Rejected | None:
    """Whether a person has the device at its own switch, asked of the device itself.

    Raises:
        LinkFault: it does not say.
    """
    rules = station.profile.remote
    if not rules.local:
        return None
    shown = await station.reader.ask(station.profile.points[rules.local])
    return Rejected("local_control") if shown == rules.local_value else None


async def carry_out(order: Order) -> Result:
    """Write a setpoint and everything that belongs to it."""
    return await _concluded(_carry_out(order))


async def renew(order: Order) -> Result:
    """Write a setpoint that stands once more, so that its timer starts anew; TAKEN when it stands no more."""
    return await _concluded(_renew(order))


async def release(order: Order, factory: float, held: Held) -> Result:
    """Give a point back: clear its switch, or write its factory value; TAKEN when somebody else has it."""
    return await _concluded(_release(order, factory, held))


async def _concluded(work: Awaitable[Result]) -> Result:
    """The result of a procedure, however it ends."""
    try:
        return await work
    except Halt as end:
        return end.result
    except Withheld as withheld:
        return withheld.why
    except LinkFault as fault:
        return Error(str(fault))


async def _carry_out(order: Order) -> Result:
    await _arm(order)
    return await _apply(order)


async def _apply(order: Order) -> Result:
    await _prepare(order)
    held = await _set(order)
    try:
        await _switch(order, on=True)
    except Halt as end:
        return Partial(held, end.result.detail) if isinstance(end.result, Error) else end.result
    except Withheld as withheld:
        return Partial(held, withheld.why.reason)
    except LinkFault as fault:
        return Partial(held, str(fault))
    return Success(held)


async def _renew(order: Order) -> Result:
    shown = await order.station.reader.ask(order.point)
    if shown is None or not same(shown, order.value):
        return TAKEN
    return await _apply(order) if await _arm(order) else Success(order.value)


async def _release(order: Order, factory: float, held: Held) -> Result:
    shown = await order.station.reader.ask(order.point)
    if shown is None or not held.ours(shown):
        return TAKEN
    if order.rules.enable:
        await _switch(order, on=False)
    elif not same(shown, factory):
        await _written(order, order.point, factory)
    return Success(factory)


async def _arm(order: Order) -> bool:
    """Set the reversion timer and see it set; where the device lacks it (False), the site must know."""
    if not order.rules.reversion:
        return False
    timer = order.companion(order.rules.reversion)
    if await order.station.reader.ask(timer) is not None:
        await _written(order, timer, order.timer_s)
        return True
    if order.point.name not in order.station.device.no_reversion:
        raise Halt(Rejected("no_reversion", f"{timer.name} is not implemented"))
    return False


async def _prepare(order: Order) -> None:
    for name, value in order.rules.prepare.items():
        point = order.companion(name)
        shown = await order.station.reader.ask(point)
        if shown is not None and not same(shown, value):
            await _written(order, point, value)


async def _set(order: Order) -> float:
    wanted = await order.station.reader.write(order.point, order.value, order.permit)
    held = await _read_back(order, order.point, wanted)
    if same(held, wanted):
        return held
    if same(held, order.before):
        raise Halt(Error(f"{order.point.name} was acknowledged, but still holds {held:g}"))
    raise Halt(replace(_mismatch(order.point, held, wanted), held=held))


async def _switch(order: Order, *, on: bool) -> None:
    """Set or clear the setpoint's bit of its enabling point, and no other bit."""
    if not order.rules.enable:
        return
    switch, bit = order.companion(order.rules.enable), order.rules.enable_bit
    bits = int(await order.station.reader.ask(switch) or 0.0)
    if on or bits & bit:
        await _written(order, switch, float(bits | bit if on else bits & ~bit))


async def _written(order: Order, point: Point, value: float) -> None:
    wanted = await order.station.reader.write(point, value, order.permit)
    held = await _read_back(order, point, wanted)
    if not same(held, wanted):
        raise Halt(_mismatch(point, held, wanted))


async def _read_back(order: Order, point: Point, wanted: float) -> float:
    """What the device holds once it shows `wanted`, or when its time for that is over."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + order.rules.verify_s
    while True:
        held = await order.station.reader.ask(point)
        if held is not None and (same(held, wanted) or loop.time() >= until_s):
            return held
        if loop.time() >= until_s:
            raise Halt(Error(f"{point.name} reads back as no value"))
        await asyncio.sleep(LOOK_S)


def _mismatch(point: Point, held: float, wanted: float) -> Error:
    return Error(f"{point.name} reads back as {held:g} instead of {wanted:g}")
