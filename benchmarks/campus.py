"""Whole sites, simulated and collected; `python -m benchmarks.campus` writes results/campus.json.

`igoudar simulate` at speed 1 and `igoudar collect` run as in production, each in a process of its own, over
the site's own mix of Modbus, OPC UA and exporters. Counted from a minute after the start, or later.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.collecting.process import look
from igoudar.collectors.client import CollectClient
from igoudar.core.errors import LinkError

RESULTS = Path(__file__).parent / "results" / "campus.json"
SITES = ("dakhla-phase1", "dakhla")
LONGEST_START_S = 300.0
POLL_S = 0.5


@contextmanager
def part(name: str, site: str, state: Path, *more: str) -> Iterator[int]:
    """One part of the product; its process id."""
    words = [sys.executable, "-m", "igoudar.app.main", name, site, "--state", str(state), *more]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - ourselves
        try:
            yield process.pid
        finally:
            process.terminate()


def metrics(state: Path) -> dict[str, float]:
    """The collector's own figures, none while it does not answer."""

    async def ask() -> dict[str, float]:
        async with CollectClient(state / "collect.sock") as client:
            return await client.metrics()

    try:
        return asyncio.run(ask())
    except (LinkError, OSError):
        return {}


def all_answer_s(state: Path) -> float:
    """Seconds from now until every device has given values."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < LONGEST_START_S:
        now = metrics(state)
        if now and now["collector_devices_answering"] == now["collector_devices"] > 0:
            break
        time.sleep(POLL_S)
    return time.monotonic() - began_s


def measured(site: str, seconds: float) -> dict[str, Any]:
    """One site."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        with part("simulate", site, state, "--speed", "1") as simulate:
            while not (state / "endpoints.json").exists():
                time.sleep(POLL_S)
            with part("collect", site, state) as collect:
                start_s = all_answer_s(state)
                time.sleep(max(0.0, 60.0 - start_s))
                return {
                    "all_answer_s": start_s,
                    **_minute(state, {"collector": collect, "simulator": simulate}, seconds),
                }


def _minute(state: Path, pids: dict[str, int], seconds: float) -> dict[str, Any]:
    before, looks, began_s = metrics(state), {name: look(pid) for name, pid in pids.items()}, time.monotonic()
    time.sleep(seconds)
    after, wall_s = metrics(state), time.monotonic() - began_s
    grown = {name: after[name] - before[name] for name in after if name.endswith("_total")}
    figures: dict[str, Any] = {
        "devices": after["collector_devices"],
        "points_per_s": grown["collector_points_total"] / wall_s,
        "readings_per_s": grown["collector_readings_total"] / wall_s,
        "gaps": grown["collector_gaps_total"],
        "polls_skipped": grown["collector_overruns_total"],
    }
    for name, pid in pids.items():
        now = look(pid)
        figures[f"{name}_cores"] = (now.cpu_s - looks[name].cpu_s) / wall_s
        figures[f"{name}_rss_mb"], figures[f"{name}_fds"] = now.rss_mb, now.fds
    return figures


def main() -> None:
    """Run all and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}"}
    figures |= {site: measured(site, options.seconds) for site in SITES}
    figures["load_average"] = os.getloadavg()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))  # noqa: T201 - a benchmark speaks to a person


if __name__ == "__main__":
    main()
