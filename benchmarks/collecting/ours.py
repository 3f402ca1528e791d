"""The collector under test, as a process: the product's own service on the product's own store.

Prints a line of JSON when asked on its standard input: what it counted since it was asked last.
"""

import asyncio
import json
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.collecting.load import Load
from igoudar.collectors import service
from igoudar.core.clock import wall_clock
from igoudar.core.model import Reading
from igoudar.core.service import run_until_signalled
from igoudar.core.store.parquet import ParquetStore


class Witness:
    """A store that notes how old each reading is when its append has returned."""

    local = True

    def __init__(self, store: ParquetStore) -> None:
        self._store, self._lock = store, threading.Lock()
        self._ages_s: list[float] = []
        self._points = 0

    def append(self, readings: Sequence[Reading]) -> None:
        """Append, then look at the clock."""
        self._store.append(readings)
        now = datetime.now(UTC)
        good = [reading for reading in readings if reading.gap is None]
        with self._lock:
            self._ages_s += [(now - reading.at).total_seconds() for reading in good]
            self._points += sum(len(reading.values) for reading in good)

    def taken(self) -> dict[str, float]:
        """Good readings and points stored since the last call, and their ages."""
        with self._lock:
            ages_s, points = sorted(self._ages_s), self._points
            self._ages_s, self._points = [], 0
        at = {
            f"stored_p{share}_s": ages_s[len(ages_s) * share // 100] if ages_s else 0.0 for share in (50, 99)
        }
        return {
            "readings": len(ages_s),
            "points": points,
            **at,
            "stored_max_s": ages_s[-1] if ages_s else 0.0,
        }

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def collect(load: Load, endpoints: dict[str, str], state: Path) -> None:
    """Collect until the input ends."""
    profile = load.profile()
    with ParquetStore.open(state / "store") as store:
        witness = Witness(store)
        site, clock = load.site(endpoints), wall_clock()
        work = asyncio.create_task(service.run(site, {"load": profile}, {}, clock, witness, state))
        asked = await _input()
        while await asked.readline():
            print(json.dumps(witness.taken()), flush=True)  # noqa: T201 - its parent reads it
        work.cancel()
        await asyncio.wait((work,))


async def _input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def main() -> None:
    """`python -m benchmarks.collecting.ours STATE`; the state folder holds `load.json`."""
    state = Path(sys.argv[1])
    document = json.loads((state / "load.json").read_text())
    run_until_signalled(collect(Load.of_table(document["load"]), document["endpoints"], state))


if __name__ == "__main__":
    main()
