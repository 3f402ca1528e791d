"""The collectors that a Python engineer would write with pymodbus, each as a process of its own.

All are given the same units at the same period and are counted by their CPU time, not by the clock: waiting
costs them nothing. `plain` has a client per device, reads point by point, converts with
`convert_from_registers` and commits one write per reading; `merged` is the same with a read per block;
`tuned` runs on uvloop, shares one client per gateway, reads blocks and writes batches of rows. They write to
SQLite in WAL mode without a sync per commit, the cheapest durable store that Python brings along.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from pymodbus.client import AsyncModbusTcpClient

from benchmarks.collecting.load import Load

FLOAT = AsyncModbusTcpClient.DATATYPE.FLOAT32
BATCH_S = 0.5
WARM_S = 12.0  # connecting and the first turns
Spans = Sequence[tuple[int, int]]
Row = tuple[float, str, int, float]
Unit = tuple[str, str, int, int]  # name, host, port, unit id


async def values(client: AsyncModbusTcpClient, unit: int, spans: Spans) -> list[float]:
    """All floats of these spans of registers, a read for each."""
    found: list[float] = []
    for first, count in spans:
        answer = await client.read_holding_registers(first, count=count, device_id=unit)
        if answer.isError():
            raise ConnectionError(str(answer))
        got = client.convert_from_registers(answer.registers, FLOAT)
        found += got if isinstance(got, list) else [got]  # type: ignore[list-item]
    return found


class Table:
    """Rows of (time, device, point, value)."""

    def __init__(self, folder: Path) -> None:
        self.rows = 0
        self._link = sqlite3.connect(folder / "samples.sqlite", check_same_thread=False)
        self._link.execute("PRAGMA journal_mode=WAL")
        self._link.execute("PRAGMA synchronous=NORMAL")
        self._link.execute("CREATE TABLE sample (time REAL, device TEXT, point INTEGER, value REAL)")

    def write(self, rows: Sequence[Row]) -> None:
        """Insert and commit."""
        with self._link:
            self._link.executemany("INSERT INTO sample VALUES (?, ?, ?, ?)", rows)
        self.rows += len(rows)


async def plain(units: Sequence[Unit], load: Load, until_s: float, table: Table) -> None:
    """A loop and a client per device, each reading written by itself."""

    async def loop(number: int, name: str, host: str, port: int, unit: int) -> None:
        client = AsyncModbusTcpClient(host, port=port)
        await client.connect()
        async for _ in turns(number / len(units), load.period_s, until_s):
            found, at = await values(client, unit, load.spans), time.time()
            table.write([(at, name, n, value) for n, value in enumerate(found)])
        client.close()

    await asyncio.gather(*(loop(number, *unit) for number, unit in enumerate(units)))


async def tuned(units: Sequence[Unit], load: Load, until_s: float, table: Table) -> None:
    """A loop and a client per gateway, rows written in batches."""
    gateways = [list(behind) for _, behind in groupby(units, key=lambda unit: (unit[1], unit[2]))]
    waiting: list[Row] = []

    async def loop(number: int, behind: Sequence[Unit]) -> None:
        client = AsyncModbusTcpClient(behind[0][1], port=behind[0][2])
        await client.connect()
        async for _ in turns(number / len(gateways), load.period_s, until_s):
            for name, _, _, unit in behind:
                found, at = await values(client, unit, load.spans), time.time()
                waiting.extend((at, name, n, value) for n, value in enumerate(found))
        client.close()

    async def keep() -> None:
        while time.monotonic() < until_s or waiting:
            await asyncio.sleep(BATCH_S)
            batch = waiting.copy()
            waiting.clear()
            await asyncio.to_thread(table.write, batch)

    await asyncio.gather(keep(), *(loop(number, behind) for number, behind in enumerate(gateways)))


Work = Callable[[Sequence[Unit], Load, float, Table], Awaitable[None]]


async def counted(
    work: Work, units: Sequence[Unit], load: Load, until_s: float, table: Table
) -> dict[str, float]:
    """Points and CPU time of `work`, without what it took to connect."""
    running = asyncio.create_task(work(units, load, until_s, table))
    await asyncio.sleep(WARM_S)
    rows, began_s = table.rows, time.process_time()
    await running
    return {"points": table.rows - rows, "cpu_s": time.process_time() - began_s}


async def turns(phase: float, period_s: float, until_s: float) -> AsyncIterator[None]:
    """Every period, or at once when the last turn took longer."""
    due_s = time.monotonic() + phase * period_s
    while due_s < until_s:
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        yield
        due_s = max(due_s + period_s, time.monotonic())


def main() -> None:
    """Reads the load's document from the input, prints points and CPU seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("plain", "merged", "tuned"))
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--units", type=int, default=1 << 20, help="of the load, from the first")
    options = parser.parse_args()
    document = json.load(sys.stdin)
    load = Load.of_table(document["load"])
    if options.kind == "plain":
        load = load.point_by_point()
    units = [_unit(name, url) for name, url in list(document["endpoints"].items())[: options.units]]
    work, run = (tuned, uvloop.run) if options.kind == "tuned" else (plain, asyncio.run)
    with tempfile.TemporaryDirectory() as folder:
        until_s = time.monotonic() + WARM_S + options.seconds
        print(json.dumps(run(counted(work, units, load, until_s, Table(Path(folder))))))  # noqa: T201


def _unit(name: str, url: str) -> Unit:
    place = urlsplit(url)
    return name, str(place.hostname), int(place.port or 502), int(place.path.strip("/"))


if __name__ == "__main__":
    main()
