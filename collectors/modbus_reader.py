"""One Modbus device: its requests, its models, its manners."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

from igoudar.collectors import codec, sunspec
from igoudar.collectors.blocks import PLANS, Flags, Plan, address_of
from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.readers import Permit, Values
from igoudar.collectors.refusals import PART_REFUSED, REFUSED, Refusals
from igoudar.collectors.spans import Block
from igoudar.collectors.tape import Tape, UnitLink
from igoudar.core.model import ModbusAddress, Point, Profile, Quality, Reason

ROUNDS = 8  # of looking into refused requests per turn: what one round joins anew may be refused again

Payload = bytes | DeviceFault


class ModbusReader:
    """Reads one unit of a link through its profile."""

    def __init__(self, profile: Profile, link: UnitLink, unit: int) -> None:
        self._profile, self._link, self._unit = profile, link, unit
        self._models: Mapping[int, int] = {}
        self._plans: dict[bool, Plan] = {}
        self._generation = 0  # of the connection on which the models were found
        self._reconnected = False
        self._where = f"{link.where} unit {unit}"
        self._refusals = Refusals(self._where)

    async def read(self, *, slow: bool) -> Values:
        """See Reader."""
        self._link.enter()
        try:
            plan, payloads = await self._turn(slow)
        finally:
            self._link.leave()
        refusal = next((p for p in payloads if isinstance(p, DeviceFault)), None)
        if refusal and not any(isinstance(payload, bytes) for payload in payloads):
            raise refusal
        values, flags = plan.decode([p if isinstance(p, bytes) else p.reason for p in payloads])
        return self._settled(values, flags)

    async def taped(self) -> tuple[Tape, Values]:
        """Read all, as after a new connection, and keep every answer as it came on the wire.

        Raises:
            LinkFault: nothing was read, and why.
        """
        tape = Tape(self._link)
        return tape, await ModbusReader(self._profile, tape, self._unit).read(slow=True)

    async def ask(self, point: Point) -> float | None:
        """See Reader."""
        self._link.enter()
        try:
            await self._plan(slow=False)
            data, factor = await self._held(point)
        finally:
            self._link.leave()
        held, _, reason = codec.decode(point, data, factor)
        if held is None and reason is not Reason.SENTINEL:
            raise LinkFault(reason, f"{point.name} has no good value", where=self._where)
        return held

    async def write(self, point: Point, value: float, permit: Permit) -> float:
        """See Reader."""
        self._link.enter()
        try:
            await self._plan(slow=False)
            factor = await self._factor(point)
            registers, wanted = self._expressed(point, value, factor)
            await self._link.write(self._unit, address_of(point, self._models), registers, permit)
        finally:
            self._link.leave()
        return wanted

    def _expressed(self, point: Point, value: float, factor: int | None) -> tuple[bytes, float]:
        """The registers for a value, and what they hold of it; a scale factor may leave no room."""
        registers = codec.encode(point, value, factor)
        wanted = codec.decode(point, registers, factor)[0]
        if wanted is None or abs(wanted - value) > codec.resolution(point, value, factor):
            what = f"{point.name} can't hold {value:g} with the device's scale factor"
            raise LinkFault(Reason.OUT_OF_RANGE, what, where=self._where)
        return registers, wanted

    async def _plan(self, slow: bool) -> Plan:
        await self._link.connect()  # first: what was known may not hold on a new connection
        if self._stale_layout():
            await self._find_models()
        if slow not in self._plans:
            self._plans[slow] = PLANS.of(self._profile, self._models, slow, self._refusals.learned)
        return self._plans[slow]

    def _stale_layout(self) -> bool:
        """Models may stand elsewhere after a reconnect: another device may answer there now."""
        if self._generation and self._profile.modbus.single_client:
            return False
        return self._generation != self._link.generation or not self._generation

    async def _find_models(self) -> None:
        first = not self._generation
        models: Mapping[int, int] = {}
        if self._profile.modbus.sunspec_base is not None:
            models = await sunspec.walk(self._profile, self._registers)
        if models != self._models:
            self._plans.clear()
        self._models, self._generation = models, self._link.generation
        self._reconnected = not first

    async def _registers(self, address: int, count: int) -> bytes:
        return await self._link.read(self._unit, 3, address, count)

    async def _turn(self, slow: bool) -> tuple[Plan, list[Payload]]:
        """Ask everything; where a request is refused, find out why and ask again without its cause."""
        now_s = asyncio.get_running_loop().time()
        if slow and self._refusals.doubt(now_s):
            self._plans.clear()
        curious = self._refusals.may_explore(now_s)
        for _ in range(ROUNDS):
            plan = await self._plan(slow)
            payloads = await self._ask(plan.blocks)
            if self._stale_layout():
                raise LinkFault(Reason.NO_CONNECTION, "the connection was renewed within a reading")
            if not (curious and await self._learn(plan, payloads, now_s)):
                break
        if slow and not plan.lost and all(isinstance(payload, bytes) for payload in payloads):
            self._refusals.fine()
        return plan, payloads

    async def _ask(self, blocks: Sequence[Block]) -> list[Payload]:
        """One request after the other, or at once where the device takes several."""
        if self._link.rules.in_flight == 1 or len(blocks) == 1:
            return [await self._block(block) for block in blocks]
        answers = await asyncio.gather(*map(self._block, blocks), return_exceptions=True)
        for answer in answers:
            refused = isinstance(answer, DeviceFault) and answer.code in REFUSED
            if isinstance(answer, BaseException) and not refused:
                raise answer
        return cast("list[Payload]", answers)

    async def _block(self, block: Block) -> Payload:
        """One block; registers that the device refuses cost only the points in them."""
        try:
            return await self._link.read(self._unit, *block)
        except DeviceFault as fault:
            if fault.code not in REFUSED:
                raise
            return fault

    async def _learn(self, plan: Plan, payloads: Sequence[Payload], now_s: float) -> bool:
        """Look into requests that are refused for a part of theirs; whether the plan is to be made anew."""
        refused = [
            block
            for block, payload in zip(plan.blocks, payloads, strict=True)
            if isinstance(payload, DeviceFault) and payload.code in PART_REFUSED
        ]
        awake, learned = any(isinstance(payload, bytes) for payload in payloads), False
        for block in refused:
            learned |= await self._refusals.explore(block, plan.spans, self._raw, now_s, awake=awake)
        if learned:
            self._plans.clear()
        return learned

    async def _raw(self, block: Block) -> bytes:
        return await self._link.read(self._unit, *block)

    def _settled(self, values: Mapping[str, float], flags: Flags) -> Values:
        """Right after a reconnect some devices show nonsense: for a while nothing they say is taken."""
        if not self._reconnected or self._since_connect_s() >= self._profile.modbus.settle_s:
            return Values(values, flags)
        return Values({}, flags | dict.fromkeys(values, (Quality.BAD, Reason.AFTER_RECONNECT)))

    def _since_connect_s(self) -> float:
        return asyncio.get_running_loop().time() - self._link.connected_s

    async def _held(self, point: Point) -> tuple[bytes, int | None]:
        """A point's registers and its scale factor, which may change at any time: in one request."""
        address, size = self._modbus(point), codec.width(point)
        at = address_of(point, self._models)
        if address.scale_factor is None:
            return await self._link.read(self._unit, address.function, at, size, urgent=True), None
        factor_at = at - address.register + address.scale_factor
        first, end = min(at, factor_at), max(at + size, factor_at + 1)
        if end - first > self._profile.modbus.max_registers:
            data = await self._link.read(self._unit, address.function, at, size, urgent=True)
            return data, await self._factor(point)
        span = await self._link.read(self._unit, address.function, first, end - first, urgent=True)
        factor = codec.scale_factor(span[2 * (factor_at - first) : 2 * (factor_at - first + 1)])
        return span[2 * (at - first) : 2 * (at - first + size)], factor

    async def _factor(self, point: Point) -> int | None:
        address = self._modbus(point)
        if address.scale_factor is None:
            return None
        at = address_of(point, self._models) - address.register + address.scale_factor
        data = await self._link.read(self._unit, address.function, at, 1, urgent=True)
        factor = codec.scale_factor(data)
        if factor is None:
            raise LinkFault(Reason.SCALE_FACTOR, f"the scale factor of {point.name} is not usable")
        return factor

    @staticmethod
    def _modbus(point: Point) -> ModbusAddress:
        assert isinstance(point.address, ModbusAddress), point.name  # noqa: S101 - the protocol says so
        return point.address
