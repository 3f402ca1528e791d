"""How fast InfluxDB is written; `python -m benchmarks.influx` writes results/influx.json.

Writes through the store that the collector uses, wide rows of 50 points, to the server at IGOUDAR_INFLUX_URL
(with _TOKEN, _ORG, _BUCKET) or else to Debian's InfluxDB 1.6 behind the tests' path-mapping proxy, both on
the same cores as the writer. A point is one field value; the rate counts the time within appends, each of
which ends with the server's acknowledgement.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.peers.influx import influxd, influxql, proxy

from benchmarks.store import POINTS, START, batch
from igoudar.core.model import Kind
from igoudar.core.store.influx import InfluxStore
from igoudar.core.store.influx_place import InfluxPlace, Origin
from igoudar.core.store.influx_setup import prepare

RESULTS = Path(__file__).parent / "results" / "influx.json"
DATABASE = "bench"


@contextmanager
def server(folder: Path) -> Iterator[InfluxPlace]:
    """The place to write to: the external server where one is named, else one of our own."""
    origins = {
        f"hall-{number % 8}/pdu-{number}": Origin(Kind.PDU, f"hall-{number % 8}") for number in range(2000)
    }
    token = folder / "token"
    token.write_text(os.environ.get("IGOUDAR_INFLUX_TOKEN", "none"))
    token.chmod(0o600)
    if url := os.environ.get("IGOUDAR_INFLUX_URL"):
        bucket, org = os.environ["IGOUDAR_INFLUX_BUCKET"], os.environ.get("IGOUDAR_INFLUX_ORG", "")
        yield InfluxPlace(url, bucket, token, "bench", origins, org)
        return
    with influxd(folder) as port, proxy_process(port) as url:
        influxql(url, f"CREATE DATABASE {DATABASE}")
        yield InfluxPlace(url, DATABASE, token, "bench", origins)


@contextmanager
def proxy_process(port: int) -> Iterator[str]:
    """The proxy in a process of its own, so that its work is not the writer's."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve_proxy, args=(port, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def serve_proxy(port: int, parent: Connection) -> None:
    """Serve until terminated."""
    with proxy(port) as running:
        parent.send(running.url)
        threading.Event().wait()


def write_rate(place: InfluxPlace, seconds: float) -> dict[str, Any]:
    """Append batch after batch for `seconds`."""
    names = list(place.origins)
    chance = random.Random(1)  # noqa: S311 - load, not a secret
    waits_s: list[float] = []
    with InfluxStore(place) as store:
        cpu_s = 0.0
        while sum(waits_s) < seconds:
            readings = batch(names, len(waits_s), chance)
            cpu_before, before = _cpu_s(), time.perf_counter()
            store.append(readings)
            waits_s.append(time.perf_counter() - before)
            cpu_s += _cpu_s() - cpu_before
        newest = store.last_time()
    points = len(waits_s) * len(names) * len(POINTS)
    return {
        "points_per_s": points / sum(waits_s),
        "points": points,
        "append_points": len(names) * len(POINTS),
        "append_p50_s": statistics.median(waits_s),
        "append_max_s": max(waits_s),
        "writer_cores": cpu_s / sum(waits_s),
        "all_there": newest == START + timedelta(seconds=len(waits_s) - 1),
    }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(seconds: float) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder, server(Path(folder)) as place:
        version = prepare(place).version
        return {
            "server": f"InfluxDB {version}",
            "machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}",
            "load_average": os.getloadavg()[0],
            **write_rate(place, seconds),
        }


def main() -> None:
    """Run and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=float(os.environ.get("IGOUDAR_BENCH_SECONDS", "300"))
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    figures = measure(options.seconds)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))  # noqa: T201 - a benchmark speaks to a person


if __name__ == "__main__":
    main()
