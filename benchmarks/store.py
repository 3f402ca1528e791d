"""How fast the embedded store appends and reads; `python -m benchmarks.store` writes results/store.json.

The stored day is synthetic: 64 levels of noise on a slow wave. Rates include the fsync of this disk.
"""

import argparse
import json
import math
import os
import platform
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from igoudar.collectors.live import Live
from igoudar.core.clock import SiteClock
from igoudar.core.model import Reading
from igoudar.core.store.figures import store_stats
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.protocol import Series
from igoudar.core.store.reader import ParquetReader

START = datetime(2026, 11, 22, tzinfo=UTC)
DAY_S = 86_400
INFLUX_S = 60.0  # `python -m benchmarks influx` takes longer
POINTS = tuple(f"point_{number:02d}_w" for number in range(50))
RESULTS = Path(__file__).parent / "results" / "store.json"


def batch(devices: Sequence[str], second: int, chance: random.Random) -> list[Reading]:
    """One reading of 50 points from each device."""
    at = START + timedelta(seconds=second)
    base = 1000 + round(200 * math.sin(second / 7000.0))
    levels = [base + step / 10 for step in range(64)]  # a device's registers are quantised: here to 0.1
    return [
        Reading(at, device, dict(zip(POINTS, chance.choices(levels, k=len(POINTS)), strict=True)))
        for device in devices
    ]


def append_rate(folder: Path, devices: int, appends: int) -> dict[str, float]:
    """Append full batches back to back, merges running beside them."""
    names = [f"hall-{number % 8}/pdu-{number}" for number in range(devices)]
    chance = random.Random(1)  # noqa: S311 - load, not a secret
    batches = [batch(names, second, chance) for second in range(appends)]
    waits_s: list[float] = []
    with ParquetStore.open(folder, sorted(names)) as store:
        for readings in batches:
            before = time.perf_counter()
            store.append(readings)
            waits_s.append(time.perf_counter() - before)
    return {
        "append_samples_per_s": devices * len(POINTS) * appends / sum(waits_s),
        "append_p50_s": statistics.median(waits_s),
        "append_max_s": max(waits_s),
        "batch_samples": devices * len(POINTS),
    }


def fill_day(folder: Path, devices: int, period_s: int) -> int:
    """A day of samples, appended ten minutes at a time; how many."""
    names = [f"hall-{number % 8}/pdu-{number}" for number in range(devices)]
    chance = random.Random(2)  # noqa: S311 - load, not a secret
    with ParquetStore.open(folder, sorted(names), hot_limit=6) as store:
        for begin in range(0, DAY_S, 600):
            seconds = range(begin, begin + 600, period_s)
            store.append([one for second in seconds for one in batch(names, second, chance)])
        store.compact()
    return devices * len(POINTS) * DAY_S // period_s


def timed(action: Callable[[], object], repeats: int = 7) -> dict[str, float]:
    """First call (files hashed once per process) and the median of the others."""
    waits_s = []
    for _ in range(repeats):
        before = time.perf_counter()
        action()
        waits_s.append(time.perf_counter() - before)
    return {"first_s": waits_s[0], "p50_s": statistics.median(waits_s[1:])}


def read_rates(folder: Path, devices: int) -> dict[str, dict[str, float]]:
    """One series over the day, its chart, and the newest readings of a hall and of all."""
    reader = ParquetReader(folder)
    one = [Series("hall-3/pdu-3", POINTS[7])]
    end = START + timedelta(days=1)
    hall = [f"hall-3/pdu-{number}" for number in range(3, devices, 8)]
    return {
        "one_series_24h": timed(lambda: reader.range(one, START, end)),
        "one_series_24h_in_1440_steps": timed(
            lambda: reader.downsample(one, START, end, timedelta(minutes=1))
        ),
        "one_series_24h_in_96_steps": timed(
            lambda: reader.downsample(one, START, end, timedelta(minutes=15))
        ),
        "one_series_24h_in_1000_steps": timed(
            lambda: reader.downsample(one, START, end, timedelta(seconds=86.4))
        ),
        "latest_hall": timed(lambda: reader.latest(hall)),
        "latest_all": timed(reader.latest),
        "last_time": timed(reader.last_time),
    }


def site_rates(folder: Path, devices: int = 15_871, points: int = 7) -> dict[str, Any]:
    """The newest readings of a site as large as the seed `dakhla`, from memory and from disk."""
    names = [f"hall-{number % 20:02d}/pdu-{number}" for number in range(devices)]
    values = dict.fromkeys(POINTS[:points], 1000.0)
    clock = SiteClock(START, time.monotonic(), 1.0)
    live, silent = (Live(clock, dict.fromkeys(names, life_s)) for life_s in (3600.0, 0.0))
    with ParquetStore.open(folder, sorted(names)) as store:
        for second in range(0, 100 * 5, 5):
            store.append([Reading(START + timedelta(seconds=second), name, values) for name in names])
    for name in names:
        live.put(Reading(clock.now(), name, values))
        silent.put(Reading(START, name, values))
    reader = ParquetReader(folder)
    hall = [name for name in names if name.startswith("hall-03/")]
    return {
        "devices": devices,
        "series": devices * points,
        "latest_live": timed(live.snapshot),
        "latest_live_all_stale": timed(silent.snapshot),
        "latest_hall": timed(lambda: reader.latest(hall)),
        "latest_site": timed(reader.latest),
    }


def main() -> None:
    """Run all and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=400, help="devices of 50 points in the stored day")
    parser.add_argument("--period-s", type=int, default=10, help="their period")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        figures = measure(Path(folder), options.devices, options.period_s)
    figures["influx"] = influx_rate()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))  # noqa: T201 - a benchmark speaks to a person


def influx_rate() -> dict[str, Any]:
    """What InfluxDB takes from the same writer; why not, where there is none."""
    from benchmarks.influx import measure as measure_influx  # it borrows this module's load

    if not (os.environ.get("IGOUDAR_INFLUX_URL") or shutil.which("influxd")):
        return {"skipped": "influxd is not installed (Debian: apt install influxdb)"}
    return measure_influx(INFLUX_S)


def measure(folder: Path, devices: int, period_s: int) -> dict[str, Any]:
    """All figures."""
    appended = append_rate(folder / "append", 2000, 80)
    samples = fill_day(folder / "day", devices, period_s)
    tiers = {tier.name: tier.size_bytes / samples for tier in store_stats(folder / "day").tiers}
    return {
        "machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}",
        "load_average": os.getloadavg()[0],
        **appended,
        "day_samples": samples,
        "day_bytes_per_sample": tiers["cold"],
        "day_roll_ups_bytes_per_sample": tiers["minute"] + tiers["quarter"],
        "reads": read_rates(folder / "day", devices),
        "site": site_rates(folder / "site"),
    }


if __name__ == "__main__":
    main()
