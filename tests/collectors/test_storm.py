"""SIGKILL at any moment: what the collector acknowledged is in the store in the end, and nothing else."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from igoudar.collectors.client import CollectClient
from igoudar.collectors.profiles import load_profiles
from igoudar.core.store.protocol import Series
from igoudar.core.store.reader import ParquetReader

from .rigs import image, pymodbus_server, until
from .storm import POINT, PROFILE

ROOT = Path(__file__).resolve().parents[2]
UNITS = 20
IN_FLIGHT = 3 * UNITS  # readings that one kill may find stored but not yet told of


@asynccontextmanager
async def collector(folder: Path, port: int, mood: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process; it is gone when the context ends."""
    args = ("-m", "tests.collectors.storm", str(folder), str(port), str(UNITS), mood)
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(sys.executable, *args, cwd=ROOT, stderr=log)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def journal(folder: Path) -> list[tuple[str, str, datetime]]:
    """What was acknowledged: by which process, device, when read."""
    if not (folder / "acknowledged").exists():
        return []
    lines = (line.split(" ") for line in (folder / "acknowledged").read_text().splitlines())
    return [(process, device, datetime.fromisoformat(at)) for process, device, at in lines]


def stored(folder: Path) -> list[tuple[str, datetime]]:
    series = [Series(f"m{n}", POINT) for n in range(1, UNITS + 1)]
    always = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    rows = ParquetReader(folder / "store").range(series, *always)
    return list(rows.select("device", "time").iter_rows())


async def storm(folder: Path, kills: int) -> None:
    chance = random.Random(kills)  # noqa: S311
    words = image(load_profiles()[PROFILE], {POINT: 5000.0, "frequency_hz": 50.0})
    async with pymodbus_server(dict.fromkeys(range(1, UNITS + 1), words)) as port:
        for _ in range(kills):
            async with collector(folder, port, "moody") as process:
                before = len(journal(folder))
                await until(lambda before=before: len(journal(folder)) > before, 60)
                await asyncio.sleep(chance.uniform(0, 2))
                process.kill()
        (folder / "collect.sock").unlink()  # of one that was killed
        async with collector(folder, port, "calm") as process:
            await until((folder / "collect.sock").exists, 60)
            await _drained(folder)
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 60) == 0, (folder / "log").read_text()


async def _drained(folder: Path) -> None:
    async with asyncio.timeout(60), CollectClient(folder / "collect.sock") as client:
        while (await client.metrics())["collector_spool_batches"] > 0:
            await asyncio.sleep(0.05)


async def _proved(folder: Path, kills: int) -> None:
    await storm(folder, kills)
    lines, kept = journal(folder), stored(folder)
    told = {(device, at) for _, device, at in lines}
    assert len(kept) == len(set(kept))
    assert len(told) > kills * UNITS / 2
    assert told - set(kept) == set()
    unsaid = set(kept) - told  # stored, and killed before it could say so
    assert len(unsaid) <= kills * IN_FLIGHT
    lives = _lives(lines)
    assert [s for s in unsaid if any(first < s[1] < last for first, last in lives.get(s[0], ()))] == []


def _lives(lines: list[tuple[str, str, datetime]]) -> dict[str, list[tuple[datetime, datetime]]]:
    """For each device the first and last acknowledgement of each process: nothing between them is unsaid."""
    times: dict[tuple[str, str], list[datetime]] = {}
    for process, device, at in lines:
        times.setdefault((process, device), []).append(at)
    lives: dict[str, list[tuple[datetime, datetime]]] = {}
    for (_, device), found in times.items():
        lives.setdefault(device, []).append((min(found), max(found)))
    return lives


async def test_five_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    await _proved(tmp_path, 5)


@pytest.mark.soak
async def test_a_storm_of_kills_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    await _proved(tmp_path, 100)
