"""Thousands of Modbus units in one process, so that a collector and not its simulator is the limit.

One listening socket stands for all gateways: each has an address of its own in 127.0.0.0/8, so that 12,000
connections cost 12,000 file descriptors and not twice that. The socket is bound to the loopback interface.
"""

import argparse
import asyncio
import json
import socket
import sys
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from igoudar.core.errors import ConfigError
from igoudar.core.service import run_until_signalled
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.modbus_server import Connection, Gateway, ModbusRefusal

ILLEGAL_ADDRESS = 2
MOST_GATEWAYS = 250 * 250
STIR_S = 1.0  # wall, between changes of the values
SWING = 0.01  # share by which values move around their level
BACKLOG = 4096


class Range(NamedTuple):
    """Registers that answer: wire addresses [start, end), kept from byte `at` on."""

    start: int
    end: int
    at: int


def ranges(spans: Sequence[tuple[int, int]]) -> tuple[Range, ...]:
    """Spans (first register, registers) laid one after the other in a bank."""
    starts = accumulate((2 * count for _, count in spans), initial=0)
    return tuple(Range(first, first + count, at) for (first, count), at in zip(spans, starts, strict=False))


class LoadUnit:
    """One unit: a row of the bank."""

    __slots__ = ("_ranges", "_row", "name")

    def __init__(self, name: str, row: memoryview, held: tuple[Range, ...]) -> None:
        self.name, self._row, self._ranges = name, row, held

    def read(self, function: int, address: int, count: int) -> bytes:
        """Registers as they stand; holding and input registers are the same."""
        del function
        first = self._first(address, count)
        return bytes(self._row[first : first + 2 * count])

    def write(self, address: int, data: bytes) -> None:
        """Take registers in; the next stir of the bank overwrites them."""
        first = self._first(address, len(data) // 2)
        self._row[first : first + len(data)] = data

    def _first(self, address: int, count: int) -> int:
        for start, end, at in self._ranges:
            if start <= address and address + count <= end:
                return at + 2 * (address - start)
        raise ModbusRefusal(ILLEGAL_ADDRESS)


class LoadField:
    """`gateways` x `units` Modbus units of f32 values while the context is open.

    Args:
        gateways: Hosts, each with its own address and, for a polite client, one connection.
        units: Unit ids 1, 2, ... behind each.
        spans: (first register, registers) that every unit has.
    """

    def __init__(self, gateways: int, units: int, spans: Sequence[tuple[int, int]]) -> None:
        if not 1 <= gateways <= MOST_GATEWAYS or not 1 <= units <= 247:
            raise ConfigError(f"{gateways} gateways of {units} units can't be", fix="1-62500 of 1-247 units")
        self.port = 0
        held, count = ranges(spans), gateways * units
        words = sum(registers for _, registers in spans) // 2
        bank = bytearray(4 * words * count)
        self._levels = np.linspace(100.0, 1000.0, words * count).reshape(count, words)
        self.values: npt.NDArray[np.float32] = np.frombuffer(bank, ">f4").reshape(count, words)
        rows = [memoryview(bank)[4 * words * n : 4 * words * (n + 1)] for n in range(count)]
        self.units = [LoadUnit(f"unit-{n:05d}", row, held) for n, row in enumerate(rows)]
        self.faults = FaultBoard({unit.name: unit for unit in self.units})
        self._per_gateway = units
        self._gateways = {_host(g): self._gateway(g) for g in range(gateways)}
        self._stirs = 0
        self._server: asyncio.Server | None = None
        self._stirring: asyncio.Task[None] | None = None
        self.stir()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._reached), sock=_loopback(), backlog=BACKLOG
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._stirring = asyncio.create_task(self._keep_stirring(), name="stir")
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None and self._stirring is not None  # noqa: S101, PT018  # set on entry
        self._stirring.cancel()
        self._server.close()
        for gateway in self._gateways.values():
            gateway.abort()
        await asyncio.wait((self._stirring,))

    @property
    def endpoints(self) -> dict[str, str]:
        """Unit name -> address."""
        return {
            unit.name: f"modbus-tcp://{_host(n // self._per_gateway)}:{self.port}/{n % self._per_gateway + 1}"
            for n, unit in enumerate(self.units)
        }

    def stir(self) -> None:
        """Move every value a little around its level; no value stays what it was."""
        self._stirs += 1
        self.values[:] = self._levels * (1.0 + SWING * np.sin(0.1 * self._stirs + self._levels))

    async def _keep_stirring(self) -> None:
        while True:
            await asyncio.sleep(STIR_S)
            self.stir()

    def _gateway(self, number: int) -> Gateway:
        first = number * self._per_gateway
        behind = self.units[first : first + self._per_gateway]
        return Gateway(dict(enumerate(behind, start=1)), self.faults.of)

    def _reached(self, transport: asyncio.BaseTransport) -> Gateway | None:
        return self._gateways.get(transport.get_extra_info("sockname")[0])


def _host(gateway: int) -> str:
    """127.x.y.z with no 0 and no 255 in it."""
    return f"127.{1 + gateway // 62500}.{1 + gateway // 250 % 250}.{1 + gateway % 250}"


def _loopback() -> socket.socket:
    """All addresses, but of the loopback interface only."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    listener.bind(("", 0))
    return listener


async def serve(field: LoadField) -> None:
    """Print the endpoints as one line of JSON, then take lines "unit-00017 dead" until the input ends."""
    async with field:
        print(json.dumps(field.endpoints), flush=True)  # noqa: T201 - its parent reads it
        commands = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        while line := await commands.readline():
            unit, _, fault = line.decode().strip().partition(" ")
            try:
                field.faults.set(unit, fault)
            except ConfigError as error:
                print(error, file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    """`python -m igoudar.simulators.load --gateways 2000 --units 6`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--gateways", type=int, default=2000)
    parser.add_argument("--units", type=int, default=6, help="behind each gateway")
    parser.add_argument("--span", type=_span, action="append", help="FIRST:REGISTERS that each unit has")
    options = parser.parse_args()
    run_until_signalled(serve(LoadField(options.gateways, options.units, options.span or [(0, 100)])))


def _span(text: str) -> tuple[int, int]:
    first, _, count = text.partition(":")
    return int(first), int(count)


if __name__ == "__main__":
    main()
