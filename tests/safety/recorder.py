"""A Modbus server that keeps registers and remembers every telegram that ever reached it."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.collectors.hostile import Asked, Hostile, hostile

READS = (1, 2, 3, 4)
WRITE_MANY = 16


class Telegram(NamedTuple):
    """One request as it came."""

    function: int
    unit: int
    address: int
    words: tuple[int, ...]  # of a write

    @property
    def writes(self) -> bool:
        """Any function that is not one of the four that read."""
        return self.function not in READS


async def _nothing(telegram: Telegram) -> None:
    del telegram


@dataclass
class Recorder:
    """Registers by unit and address; `deaf` ones are acknowledged and not taken, `refused` ones refused."""

    units: dict[int, dict[int, int]]
    telegrams: list[Telegram] = field(default_factory=list)
    deaf: set[tuple[int, int]] = field(default_factory=set)
    refused: set[tuple[int, int]] = field(default_factory=set)
    before_answer: Callable[[Telegram], Awaitable[None]] = _nothing
    server: Hostile | None = None

    @property
    def written(self) -> list[Telegram]:
        """Every telegram that was no read."""
        return [telegram for telegram in self.telegrams if telegram.writes]

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self.server is not None
        return self.server.port

    async def answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        words = struct.unpack(f">{len(asked.data) // 2}H", asked.data) if asked.function == WRITE_MANY else ()
        telegram = Telegram(asked.function, asked.unit, asked.address, words)
        self.telegrams.append(telegram)
        await self.before_answer(telegram)
        writer.write(asked.frame(self._pdu(telegram, asked)))

    def _pdu(self, telegram: Telegram, asked: Asked) -> bytes:
        held, place = self.units[telegram.unit], (telegram.unit, telegram.address)
        if not telegram.writes:
            words = [held.get(address, 0) for address in range(asked.address, asked.address + asked.count)]
            return bytes((asked.function, 2 * asked.count)) + struct.pack(f">{asked.count}H", *words)
        if place in self.refused:
            return bytes((asked.function | 0x80, 3))
        if place not in self.deaf:
            held.update(enumerate(telegram.words, telegram.address))
        return struct.pack(">BHH", asked.function, asked.address, asked.count)


@asynccontextmanager
async def recording(units: Mapping[int, Mapping[int, int]]) -> AsyncIterator[Recorder]:
    """Serve `units` on a free port."""
    recorder = Recorder({unit: dict(words) for unit, words in units.items()})
    async with hostile(recorder.answer) as server:
        recorder.server = server
        yield recorder
