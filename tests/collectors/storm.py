"""A collect process to be killed: the real service, a real store that is away now and then.

`python -m tests.collectors.storm FOLDER PORT UNITS CALM` collects until it is stopped, and writes every
acknowledged reading to FOLDER/acknowledged before it goes on.
"""

import os
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from igoudar.collectors import service
from igoudar.collectors.profiles import load_profiles
from igoudar.core.clock import SiteClock
from igoudar.core.errors import StoreBusyError
from igoudar.core.model import Device, Reading, Site, SpoolRules
from igoudar.core.service import run_until_signalled
from igoudar.core.store.parquet import ParquetStore

PROFILE = "schneider-iem3000"
POINT = "active_power_w"
SPEED = 10.0  # polls at their floor of one second
RULES = SpoolRules(most_bytes=50_000_000, window_s=0.2)


class Moody:
    """A store that refuses for a while, dawdles for a while, and is well for a while."""

    def __init__(self, store: ParquetStore, *, local: bool, calm: bool) -> None:
        self._store, self.local, self._calm = store, local, calm
        self._chance = random.Random(os.getpid())  # noqa: S311
        self._mood, self._until_s = 0, 0.0

    def append(self, readings: Sequence[Reading]) -> None:
        if not self._calm:
            self._suffer()
        self._store.append(readings)

    def _suffer(self) -> None:
        if time.monotonic() > self._until_s:
            self._mood = self._chance.randrange(3)
            self._until_s = time.monotonic() + self._chance.uniform(0.2, 1.5)
        if self._mood == 1:
            raise StoreBusyError("away", where="store")
        if self._mood == 2:
            time.sleep(0.3)


def meters(units: int) -> Site:
    """A site of that many meters."""
    kind = load_profiles()[PROFILE].kind
    devices = tuple(Device(f"m{n}", kind, PROFILE, "", "site") for n in range(1, units + 1))
    return Site("s", "S", 0.0, 0.0, 0.0, "UTC", (), (), (), devices, spool=RULES)


def main(folder: Path, port: int, units: int, calm: bool) -> None:
    """Collect until told to stop, or killed."""
    journal = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def acknowledged(batch: Sequence[Reading]) -> None:
        good = [each for each in batch if POINT in each.values]
        lines = "".join(f"{os.getpid()} {each.device} {each.at.isoformat()}\n" for each in good)
        os.write(journal, lines.encode())

    store = ParquetStore.open(folder / "store")
    moody = Moody(store, local=os.getpid() % 2 == 0, calm=calm)
    clock = SiteClock(datetime(2026, 6, 1, tzinfo=UTC), 0.0, SPEED)
    endpoints = {f"m{n}": f"modbus-tcp://127.0.0.1:{port}/{n}" for n in range(1, units + 1)}
    work = service.run(
        meters(units),
        load_profiles(),
        endpoints,
        clock,
        moody,  # type: ignore[arg-type]
        folder,
        acknowledged=acknowledged,
    )
    run_until_signalled(work)
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "calm")
