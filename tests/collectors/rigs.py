"""What several tests stand on: devices, registers behind a peer's server, time that does not wait."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from igoudar.collectors import codec, sunspec
from igoudar.collectors.blocks import address_of
from igoudar.core.model import Device, ModbusAddress, Profile

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SCALE_FACTOR = -1
GAP = 64  # registers
SETTLED_S = 0.001  # wall: loopback delivers sooner

T = TypeVar("T")


def device(name: str, profile: Profile, address: str = "", **rest: Any) -> Device:
    return Device(name, profile.kind, profile.name, address, rest.pop("subject", "site"), **rest)


def image(profile: Profile, values: Mapping[str, float | None], function: int = 3) -> dict[int, int]:
    """Registers of a device that shows `values`, by address; every scale factor is 10^-1."""
    models, words = sunspec.locate(profile), dict[int, int]()
    for address, data in sunspec.frame(profile).items():
        _put(words, address, data)
    for point in profile.points.values():
        address = point.address
        assert isinstance(address, ModbusAddress)
        if address.function == function:
            at = address_of(point, models)
            _put(words, at, codec.encode(point, values.get(point.name), SCALE_FACTOR))
            if address.scale_factor is not None:
                _put(words, at - address.register + address.scale_factor, b"\xff\xff")
    return words


def _put(words: dict[int, int], address: int, data: bytes) -> None:
    for i in range(0, len(data), 2):
        words[address + i // 2] = int.from_bytes(data[i : i + 2])


@asynccontextmanager
async def pymodbus_server(units: Mapping[int, Mapping[int, int]]) -> AsyncIterator[int]:
    """A peer's server with the registers of several units; gives its port."""
    devices = [SimDevice(unit, simdata=_blocks(words)) for unit, words in units.items()]
    server = ModbusTcpServer(devices, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    assert server.transport is not None
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


def _blocks(words: Mapping[int, int]) -> list[SimData]:
    """Runs of registers; small gaps hold 0, as they do in a real device, larger ones are not there."""
    runs: list[tuple[int, list[int]]] = []
    for address in sorted(words):
        if runs and address - (runs[-1][0] + len(runs[-1][1])) < GAP:
            start, run = runs[-1]
            run += [0] * (address - start - len(run)) + [words[address]]
        else:
            runs.append((address, [words[address]]))
    return [SimData(start, values=values, datatype=DataType.REGISTERS) for start, values in runs]


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer instead of waiting for it.

    Real sockets work with a `settle_s`: time stands still while anything arrives.
    """

    def __init__(self, settle_s: float = 0.0) -> None:
        super().__init__()
        self._virtual_s = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None = None) -> Any:
            events = select(settle_s if timeout is None else min(timeout, settle_s))
            if timeout and not events:
                self._virtual_s += timeout
            return events

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._virtual_s


def run_virtually(work: Coroutine[Any, Any, T], *, sockets: bool = False) -> T:
    """Run `work` on virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(SETTLED_S if sockets else 0.0)) as runner:
        return runner.run(work)


async def until(condition: Any, timeout_s: float = 10.0) -> None:
    """Wait until `condition()` holds; fails after `timeout_s` (wall)."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)
