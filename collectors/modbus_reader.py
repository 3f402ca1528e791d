"""One Modbus device: its requests, its models, its manners."""

import asyncio
from collections.abc import Mapping

from igoudar.collectors import codec, sunspec
from igoudar.collectors.blocks import Block, Flags, Plan, address_of, compile_plan
from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.readers import Values
from igoudar.core.model import ModbusAddress, Point, Profile, Quality, Reason

REFUSED = (1, 2, 3, 4, 8)
"""Exceptions that concern the registers asked for, not the device as a whole."""


class ModbusReader:
    """Reads one unit of a link through its profile."""

    def __init__(self, profile: Profile, link: ModbusLink, unit: int) -> None:
        self._profile, self._link, self._unit = profile, link, unit
        self._models: Mapping[int, int] = {}
        self._plans: dict[bool, Plan] = {}
        self._generation = 0  # of the connection on which the models were found
        self._reconnected = False
        self._refusal: DeviceFault | None = None

    async def read(self, *, slow: bool) -> Values:
        """See Reader."""
        self._refusal = None
        self._link.enter()
        try:
            plan = await self._plan(slow)
            payloads = [await self._block(block) for block in plan.blocks]
        finally:
            self._link.leave()
        if self._refusal and not any(isinstance(payload, bytes) for payload in payloads):
            raise self._refusal
        values, flags = plan.decode(payloads)
        return Values(values, self._settling(values, flags))

    async def write(self, point: Point, value: float) -> float:
        """See Reader."""
        await self._plan(slow=False)
        address = address_of(point, self._models)
        factor = await self._factor(point)
        await self._link.write(self._unit, address, codec.encode(point, value, factor))
        function, width = self._modbus(point).function, codec.width(point)
        data = await self._link.read(self._unit, function, address, width)
        held, _, reason = codec.decode(point, data, factor)
        if held is None:
            raise LinkFault(reason, f"{point.name} reads back as no value")
        return held

    async def _plan(self, slow: bool) -> Plan:
        if self._stale_layout():
            await self._find_models()
        if slow not in self._plans:
            points = [p for p in self._profile.points.values() if slow or not p.slow]
            self._plans[slow] = compile_plan(self._profile, self._models, points)
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
        else:
            await self._link.connect()
        if models != self._models:
            self._plans.clear()
        self._models, self._generation = models, self._link.generation
        self._reconnected = not first

    async def _registers(self, address: int, count: int) -> bytes:
        return await self._link.read(self._unit, 3, address, count)

    async def _block(self, block: Block) -> bytes | Reason:
        """One block; registers that the device refuses cost only the points in them."""
        try:
            return await self._link.read(self._unit, *block)
        except DeviceFault as fault:
            if fault.code not in REFUSED:
                raise
            self._refusal = fault
            return fault.reason

    def _settling(self, values: Mapping[str, float], flags: Flags) -> Flags:
        """Right after a reconnect some devices show nonsense: values count as uncertain for a while."""
        settle_s = self._profile.modbus.settle_s
        since_s = asyncio.get_running_loop().time() - self._link.connected_s
        if self._reconnected and since_s < settle_s:
            flags |= dict.fromkeys(values, (Quality.UNCERTAIN, Reason.AFTER_RECONNECT))
        return flags

    async def _factor(self, point: Point) -> int | None:
        address = self._modbus(point)
        if address.scale_factor is None:
            return None
        at = address_of(point, self._models) - address.register + address.scale_factor
        factor = codec.scale_factor(await self._link.read(self._unit, address.function, at, 1))
        if factor is None:
            raise LinkFault(Reason.SCALE_FACTOR, f"the scale factor of {point.name} is not usable")
        return factor

    @staticmethod
    def _modbus(point: Point) -> ModbusAddress:
        assert isinstance(point.address, ModbusAddress), point.name  # noqa: S101 - the protocol says so
        return point.address
