"""Devices polled as the collector does it, over real sockets, on virtual time."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from igoudar.collectors.links import Links, build
from igoudar.collectors.poll import Tally, phases, poll
from igoudar.core.clock import ManualClock
from igoudar.core.model import Kind, ModbusAddress, ModbusRules, Point, Profile, Reading
from tests.collectors.hostile import Answer, Asked
from tests.collectors.rigs import START, device


@dataclass
class Polled:
    """What came of polling."""

    links: Links
    tally: Tally = field(default_factory=Tally)
    readings: list[tuple[float, Reading]] = field(default_factory=list)  # loop time

    def of(self, name: str) -> list[Reading]:
        return [reading for _, reading in self.readings if reading.device == name]

    def times(self, name: str) -> list[float]:
        return [at for at, reading in self.readings if reading.device == name]

    def values(self, name: str) -> list[dict[str, float]]:
        return [dict(reading.values) for reading in self.of(name)]


def product(registers: Iterable[int], *, period_s: float = 5.0, **rules: object) -> Profile:
    """A product with a u16 in each of `registers`, named `r<register>_w`."""
    points = {f"r{r}_w": Point(f"r{r}_w", ModbusAddress(r, "u16")) for r in registers}
    made = ModbusRules(**rules)  # type: ignore[arg-type]
    profile = Profile("product", Kind.METER, "modbus", ("p",), "test", "generic", points, modbus=made)
    return replace(profile, period_s=period_s)


@asynccontextmanager
async def polling(profile: Profile, port: int, units: Sequence[int] = (1,)) -> AsyncIterator[Polled]:
    """Poll `units` behind a port; their devices are called u<unit>."""
    devices = [device(f"u{unit}", profile, f"modbus-tcp://127.0.0.1:{port}/{unit}") for unit in units]
    polled = Polled(build(devices, {profile.name: profile}, {}, 1.0))
    loop, clock = asyncio.get_running_loop(), ManualClock(START)

    def take(reading: Reading) -> None:
        polled.readings.append((loop.time(), reading))

    tasks = [
        asyncio.create_task(poll(station, phase, take, clock, polled.tally))
        for station, phase in zip(polled.links.stations, phases(len(units)), strict=True)
    ]
    try:
        yield polled
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await polled.links.close()


def registers(held: Mapping[int, int]) -> Answer:
    """A device that has these registers and answers exception 2 to any request beyond them."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        wanted = range(asked.address, asked.address + asked.count)
        if not all(register in held for register in wanted):
            writer.write(asked.frame(bytes((asked.function | 0x80, 2))))
            return
        body = b"".join(held[register].to_bytes(2) for register in wanted)
        writer.write(asked.frame(bytes((asked.function, len(body))) + body))

    return answer


async def well(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Every register holds 7."""
    writer.write(asked.right())
