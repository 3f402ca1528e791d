"""The guarded write: checked, taken in turn, checked again, written, read back and answered for."""

import asyncio
import logging
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from igoudar.collectors import procedure
from igoudar.collectors.authority import LONGEST_WRITE_S
from igoudar.collectors.checks.budget import Budget
from igoudar.collectors.checks.deadband import same, unchanged
from igoudar.collectors.checks.once import Once
from igoudar.collectors.checks.pace import Pace
from igoudar.collectors.faults import LinkFault
from igoudar.collectors.gate import Gate
from igoudar.collectors.holds import Held, Holds
from igoudar.collectors.poll import Station
from igoudar.collectors.procedure import Order
from igoudar.collectors.readers import Permit
from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Result, Success
from igoudar.core.clock import Clock
from igoudar.core.model import Setpoint, Writable

LOG = logging.getLogger(__name__)

LEAST_TIMER_S = 6.0  # wall: a fast clock must leave time to renew a timer


class Actuator:
    """Writes setpoints to devices, or says why not.

    Args:
        stations: Every device by name.
        gate: The checks that need no memory, asked anew before each telegram.
        clock: Site time.
        state: The folder of what must outlive a restart.
        monotonic: Wall seconds.
    """

    def __init__(
        self,
        stations: Mapping[str, Station],
        gate: Gate,
        clock: Clock,
        state: Path,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.gate, self.holds = gate, Holds(state)
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.results, self.rejections = Counter[str](), Counter[str]()
        self.monotonic = monotonic
        self._stations, self._clock = stations, clock
        self._once, self._budget, self._pace = Once(state), Budget(state), Pace(monotonic)

    def close(self) -> None:
        """Close its files."""
        self._once.close()

    async def write(self, wish: Setpoint) -> Result:
        """Check, write and read back one setpoint; one at a time for each device."""
        result = self._once.known(wish) or self.gate.refusal(wish)
        if result is None:
            async with self.turns[wish.device]:
                result = self._once.known(wish) or self.gate.refusal(wish) or await self._carried(wish)
        self.results[type(result).__name__.lower()] += 1
        if isinstance(result, Rejected):
            self.rejections[result.reason] += 1
        LOG.info("%s %s=%s (%s): %s", wish.device, wish.point, wish.value, wish.command_id, result)
        return result

    async def _carried(self, wish: Setpoint) -> Result:
        """Read before, spare what need not be written, and write the rest."""
        try:
            async with asyncio.timeout(LONGEST_WRITE_S):
                order = await self.order(wish, wish.value, self.gate.permit(wish))
                ended = await procedure.local(order.station) or await self._standing(wish, order)
                if ended is not None:
                    return ended
                return await self._spent(wish, order.rules) or await self._written(wish, order)
        except LinkFault as fault:
            return Error(str(fault))
        except TimeoutError:
            return Error(f"not finished within {LONGEST_WRITE_S:g} s")

    async def order(self, wish: Setpoint, value: float, permit: Permit) -> Order:
        """A write of `value` to the place of `wish`, as the device stands now.

        Raises:
            LinkFault: the device shows no value there.
        """
        station, rules = self._stations[wish.device], self.rules(wish)
        point = station.profile.points[wish.point]
        shown = await station.reader.ask(point)
        before = math.nan if shown is None else shown
        return Order(station, point, rules, value, before, self.timer_s(wish), permit)

    def rules(self, wish: Setpoint) -> Writable:
        """What the profile says of writing there."""
        rules = self._stations[wish.device].profile.points[wish.point].writable
        assert rules is not None  # noqa: S101 - checked by the gate
        return rules

    def timer_s(self, wish: Setpoint) -> float:
        """What the reversion timer of a place is armed with [s, site time].

        The profile's time, as it is renewed; what must not be written often is armed for the command's life.
        """
        points, rules = self._stations[wish.device].profile.points, self.rules(wish)
        if not rules.reversion:
            return 0.0
        life_s = (wish.expires_at - self._clock.now()).total_seconds() if rules.eeprom else 0.0
        timer = points[rules.reversion].writable
        wanted_s = max(rules.reversion_s, LEAST_TIMER_S * self._clock.speed, life_s)
        return float(math.ceil(min(wanted_s, timer.maximum if timer else wanted_s)))

    async def _standing(self, wish: Setpoint, order: Order) -> Result | None:
        """Success without a write where the device holds the value already; its new end is kept."""
        if math.isnan(order.before):
            return Rejected("not_implemented")
        if not unchanged(order.before, wish.value, order.rules.deadband):
            return None
        held = self.holds.at((wish.device, wish.point))
        if held is not None and await self._in_force(held, wish, order):
            self.holds.put(replace(held, wish=wish, value=order.before, others=()))
        elif order.rules.enable or order.rules.reversion:
            return None
        return Success(order.before)

    async def _in_force(self, held: Held, wish: Setpoint, order: Order) -> bool:
        """Whether what we set is still enabled, and its timer runs for as long as it has to."""
        ends_at = held.renewed_at + timedelta(seconds=held.timer_s)
        needed_until = wish.expires_at if order.rules.eeprom else self._clock.now()
        stands = same(held.value, order.before) if held.timed else held.ours(order.before)
        if not stands or (order.rules.reversion and ends_at < needed_until):
            return False
        if not order.rules.enable:
            return True
        bits = await order.station.reader.ask(order.companion(order.rules.enable))
        return bool(int(bits or 0) & order.rules.enable_bit)

    async def _spent(self, wish: Setpoint, rules: Writable) -> Rejected | None:
        """Pace and budget; both count attempts, for a device may wear by what it then refuses."""
        place, now = (wish.device, wish.point), self._clock.now()
        early = self._pace.refusal(place, now, rules.every_s)
        if early is None and rules.eeprom:
            early = await self._budget.spend(place, now.date(), rules.daily_writes)
        return early

    async def _written(self, wish: Setpoint, order: Order) -> Result:
        place = wish.device, wish.point
        if not self._once.begins(wish):
            return Rejected("unrecorded")
        self._pace.begins(place, self._clock.now())
        earlier = self.holds.at(place)
        hold = self._hold(wish, order, earlier)
        result: Result = Error(f"not finished within {LONGEST_WRITE_S:g} s")
        try:
            noted = hold.timed or await self.holds.announce(hold)
            result = await procedure.carry_out(order) if noted else Rejected("unrecorded")
        finally:
            self._pace.ended(place, well=isinstance(result, Success | Rejected | OutOfBounds))
            self._once.ended(wish, result)
            self._answer_for(hold, earlier, result)
        return result

    def _hold(self, wish: Setpoint, order: Order, earlier: Held | None) -> Held:
        """What we shall answer for; `before` is what stood there before our first write."""
        before = earlier.before if earlier and earlier.ours(order.before) else order.before
        now, cycle = self._clock.now(), self.gate.mandate.cycle
        hold = Held(wish, order.value, before, self._timed(order), now, order.timer_s, cycle)
        return hold.instead_of(earlier)

    def _answer_for(self, hold: Held, earlier: Held | None, result: Result) -> None:
        """From now on we renew it and take it back; what is not known to stand is looked at then."""
        announced = self.holds.at(hold.place) is hold
        if isinstance(result, Rejected | OutOfBounds):
            if announced:
                self._withdraw(hold, earlier)
            return
        stands = hold.after(result)
        if not announced or stands != hold:
            now, cycle = self._clock.now(), self.gate.mandate.cycle
            self.holds.put(replace(stands, renewed_at=now, renewed_cycle=cycle))

    def _withdraw(self, hold: Held, earlier: Held | None) -> None:
        """Nothing was written after all: what stood before stands."""
        if earlier is None:
            self.holds.drop(hold)
        else:
            self.holds.put(earlier)

    def _timed(self, order: Order) -> bool:
        return bool(order.rules.reversion) and order.point.name not in order.station.device.no_reversion

    def metrics(self) -> dict[str, float]:
        """Writes by result, refusals by reason, and what we hold."""
        kinds = (Success, Partial, OutOfBounds, Rejected, Error)
        counts = {kind.__name__.lower(): self.results[kind.__name__.lower()] for kind in kinds}
        return {
            **{f'collector_writes_total{{result="{name}"}}': count for name, count in counts.items()},
            **{
                f'collector_writes_rejected_total{{reason="{reason}"}}': count
                for reason, count in sorted(self.rejections.items())
            },
            "collector_setpoints_held": len(self.holds),
            "collector_setpoints_lost_total": self.holds.lost,
            "collector_authority_valid": float(self.gate.mandate.valid),
            "collector_hands_off": float(self.gate.hands_off),
        }

    def now(self) -> datetime:
        """Site time."""
        return self._clock.now()

    def knows(self, wish: Setpoint) -> bool:
        """Whether its place is still there, and can be written."""
        station = self._stations.get(wish.device)
        point = station.profile.points.get(wish.point) if station else None
        return point is not None and point.writable is not None
