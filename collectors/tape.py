"""A Modbus link that remembers what was read through it."""

from collections.abc import Mapping
from typing import Protocol

from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.readers import Permit
from igoudar.collectors.spans import Block
from igoudar.core.model import ModbusRules, Reason


class UnitLink(Protocol):
    """What a device's reader needs of a link."""

    @property
    def rules(self) -> ModbusRules:
        """The product's manners."""
        ...

    @property
    def generation(self) -> int:
        """How many connections there have been."""
        ...

    @property
    def connected_s(self) -> float:
        """When the last one was opened (monotonic)."""
        ...

    @property
    def where(self) -> str:
        """What it leads to."""
        ...

    async def read(
        self, unit: int, function: int, address: int, count: int, *, urgent: bool = False
    ) -> bytes:
        """Read registers; `urgent` before polls."""
        ...

    async def write(self, unit: int, address: int, registers: bytes, permit: Permit) -> None:
        """Write registers, if `permit` lets them go."""
        ...

    async def connect(self) -> None:
        """Connect if not connected."""
        ...

    def enter(self) -> None:
        """Somebody begins a turn."""
        ...

    def leave(self) -> None:
        """A turn ended."""
        ...


class Tape:
    """Passes everything on to `link` and keeps the answers; a refusal as its exception code."""

    def __init__(self, link: UnitLink) -> None:
        self._link, self.rules = link, link.rules
        self._answers: dict[Block, bytes | int] = {}

    @property
    def answers(self) -> Mapping[Block, bytes | int]:
        """The last answer to each request."""
        return self._answers

    @property
    def generation(self) -> int:
        """See UnitLink; connections the tape was there for."""
        return self._link.generation

    @property
    def connected_s(self) -> float:
        """See UnitLink."""
        return self._link.connected_s

    @property
    def where(self) -> str:
        """See UnitLink."""
        return self._link.where

    async def read(
        self, unit: int, function: int, address: int, count: int, *, urgent: bool = False
    ) -> bytes:
        """Read, and keep what came."""
        asked = Block(function, address, count)
        try:
            data = await self._link.read(unit, function, address, count, urgent=urgent)
        except DeviceFault as fault:
            self._answers[asked] = fault.code
            raise
        self._answers[asked] = data
        return data

    async def write(self, unit: int, address: int, registers: bytes, permit: Permit) -> None:
        """A recording only reads."""
        raise LinkFault(Reason.EXCEPTION, "a recording does not write", where=self.where)

    async def connect(self) -> None:
        """See UnitLink."""
        await self._link.connect()

    def enter(self) -> None:
        """See UnitLink."""
        self._link.enter()

    def leave(self) -> None:
        """See UnitLink."""
        self._link.leave()
