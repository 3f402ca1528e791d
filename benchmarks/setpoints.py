"""How long a setpoint takes from asking to its verified reading back; `python -m benchmarks.setpoints`.

Simulator and collector of a site in processes of their own at speed 1, all devices polled meanwhile;
a third process asks for setpoints of inverters, batteries and CDUs over the collector's socket, a few at a
time, each point at its own pace and each time another value. Writes results/setpoints.json.
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
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from igoudar.collectors.authority import Authority
from igoudar.collectors.client import CollectClient
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import Rejected
from igoudar.core.clock import SiteClock
from igoudar.core.errors import LinkError
from igoudar.core.model import Setpoint
from igoudar.core.site import load_site

RESULTS = Path(__file__).parent / "results" / "setpoints.json"
SITES = ("jazari-lab", "dakhla-phase1")
ANSWERING_S = 120.0  # until nearly all devices are read
AT_ONCE = 4
PACE_S = 6.0  # of each point: the profiles allow one write in 5 s
POINTS = {
    "sunspec-inverter": ("limit_pct", (90.0, 70.0)),
    "sunspec-battery": ("discharge_rate_pct", (30.0, 10.0)),
    "generic-cdu": ("setpoint_c", (29.0, 31.0)),
    "generic-desalination": ("limit_w", (20e3, 15e3)),
    "generic-electrolyser": ("limit_w", (20e3, 15e3)),
    "carrier-23xrv": ("demand_limit_pct", (90.0, 80.0)),
}
Took = Mapping[str, Sequence[float]]
"""Wall time of each setpoint [s], by product."""
CLASSES = dict.fromkeys(("battery", "curtailment", "cooling", "loads"), "auto")


@contextmanager
def _running(site: str, state: Path) -> Iterator[None]:
    """The plant and its collector."""
    igoudar = str(Path(sys.executable).with_name("igoudar"))
    parts: list[subprocess.Popen[bytes]] = []
    try:
        for words in (["simulate", site, "--speed", "1"], ["collect", site]):
            parts.append(subprocess.Popen([igoudar, *words, "--state", str(state)]))  # noqa: S603
            while words[0] == "simulate" and not (state / "endpoints.json").exists():
                time.sleep(0.2)
        yield
    finally:
        for part in reversed(parts):
            part.terminate()
            part.wait(30)


async def _connected(state: Path) -> CollectClient:
    """A client, once the collector reads nearly all devices."""
    until_s = time.monotonic() + ANSWERING_S
    while True:
        try:
            client = CollectClient(state / "collect.sock")
            await client.__aenter__()
            metrics = await client.metrics()
            if metrics["collector_devices_answering"] >= 0.99 * metrics["collector_devices"]:
                return client
            await client.__aexit__()
        except LinkError:
            pass
        if time.monotonic() > until_s:
            raise TimeoutError("the collector does not read the site")
        await asyncio.sleep(0.5)


async def _control(client: CollectClient, seconds: float) -> None:
    """A control loop that turns once a second."""
    for number in range(int(seconds) + 60):
        await client.authority(Authority(1, "benchmark", 30.0, CLASSES, cycle=number + 1))
        await asyncio.sleep(1.0)


async def _ask(site: str, state: Path, clock: SiteClock, seconds: float) -> tuple[Took, Counter[str]]:
    """Ask for setpoints until the time is over; what each took [s], and what became of them."""
    plan = load_site(site, load_profiles())
    places = [(d.name, d.profile, *POINTS[d.profile]) for d in plan.devices if d.profile in POINTS]
    took_s, results = defaultdict[str, list[float]](list), Counter[str]()
    end_s, queue = time.monotonic() + seconds, cycle(enumerate(places))
    due_s, asked = dict.fromkeys(range(len(places)), 0.0), Counter[int]()

    async def worker(name: int) -> None:
        async with CollectClient(state / "collect.sock") as client:
            turn = 0
            while time.monotonic() < end_s:
                number, (device, product, point, values) = next(queue)
                await asyncio.sleep(max(0.0, due_s[number] - time.monotonic()))
                due_s[number] = time.monotonic() + PACE_S
                turn, asked[number] = turn + 1, asked[number] + 1
                wish = Setpoint(
                    device,
                    point,
                    values[asked[number] % 2],
                    clock.now() + timedelta(minutes=5),
                    f"{name}-{turn}",
                )
                began_s = time.monotonic()
                result = await client.write(wish)
                took_s[product].append(time.monotonic() - began_s)
                reason = f" {result.reason}" if isinstance(result, Rejected) else ""
                results[type(result).__name__.lower() + reason] += 1

    await asyncio.gather(*map(worker, range(AT_ONCE)))
    return took_s, results


async def measured(site: str, state: Path, seconds: float) -> dict[str, object]:
    """One run."""
    client = await _connected(state)
    turning = asyncio.create_task(_control(client, seconds))
    await asyncio.sleep(5.0)  # it settles
    before = await _figures(state)
    took_s, results = await _ask(site, state, SiteClock.load(state / "clock.json"), seconds)
    after = await _figures(state)
    turning.cancel()
    await client.__aexit__()
    return {
        "devices": after["collector_devices"],
        "points_per_s_polled": (after["collector_points_total"] - before["collector_points_total"]) / seconds,
        "seconds": seconds,
        "results": dict(results),
        **_spread([one_s for of_product in took_s.values() for one_s in of_product]),
        "by_product": {product: _spread(of_product) for product, of_product in sorted(took_s.items())},
    }


def _spread(took_s: Sequence[float]) -> dict[str, float]:
    """How many setpoints, and what they took."""
    order = sorted(took_s)
    return {
        "setpoints": len(order),
        "p50_s": order[len(order) // 2],
        "p99_s": order[min(len(order) - 1, int(0.99 * len(order)))],
        "worst_s": order[-1],
    }


async def _figures(state: Path) -> dict[str, float]:
    async with CollectClient(state / "collect.sock") as client:
        return await client.metrics()


def main() -> None:
    """Run and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--site", action="append", help=f"more than once for several; {' and '.join(SITES)}")
    parser.add_argument("--folder", type=Path, help="of the state; on a disk that others sync, parts stall")
    options = parser.parse_args()
    figures: dict[str, object] = {"machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}"}
    for site in options.site or SITES:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, _running(site, Path(folder)):
            figures[site] = asyncio.run(measured(site, Path(folder), options.seconds))
    figures["state_on"] = str(options.folder or "a disk")
    figures["niceness"] = os.getpriority(os.PRIO_PROCESS, 0)  # below 0 on a machine that others use as well
    figures["load_average"] = os.getloadavg()
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))  # noqa: T201 - a benchmark speaks to a person


if __name__ == "__main__":
    main()
