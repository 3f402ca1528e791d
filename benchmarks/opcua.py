"""CPU per OPC UA change in the collector: `python -m benchmarks.opcua` writes results/opcua.json.

A server of asyncua in a process of its own holds 200 devices of 50 points and changes half of them in every
second (`--items`, `--changes`). This process is the collector: one session, its subscription, the poll of
every device once a second, on uvloop as in production. All its CPU time is divided by the changes that came.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from igoudar.collectors.links import Links, build
from igoudar.collectors.poll import Tally, phases, poll
from igoudar.core.clock import wall_clock
from igoudar.core.model import Device, Kind, OpcUaAddress, Point, Profile, Reading

RESULTS = Path(__file__).parent / "results" / "opcua.json"
NAMESPACE = "urn:igoudar:benchmark"
POINTS = 50  # per device: asyncua slows down steeply beyond
BEATS = 10  # rounds of changes per second
WARM_UP_S = 10.0


async def serve(items: int, changes: int) -> None:
    """The server: prints its port, then changes values until its input ends."""
    from asyncua import ua
    from asyncua.server.server import Server

    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace(NAMESPACE)
    nodes = []
    for device in range(items // POINTS):
        parent = await server.nodes.objects.add_object(ua.NodeId(f"d{device}", space), f"d{device}")
        for point in range(POINTS):
            node = await parent.add_variable(ua.NodeId(f"d{device}.P{point}", space), f"P{point}", 0.0)
            nodes.append(node.nodeid)
    await server.start()
    assert server.bserver is not None  # noqa: S101 - set by start
    print(server.bserver.port, flush=True)  # noqa: T201 - how the collector learns it
    await change(server, nodes, changes // BEATS)


async def change(server: Any, nodes: list[Any], batch: int) -> None:
    """Write `batch` nodes in each beat, in turn, each with a new value."""
    from asyncua import ua

    loop, turn, due = asyncio.get_running_loop(), 0, asyncio.get_running_loop().time()
    while True:
        for number in range(turn, turn + batch):
            value = ua.Variant(float(number), ua.VariantType.Double)
            at = datetime.now(UTC)
            await server.write_attribute_value(
                nodes[number % len(nodes)], ua.DataValue(value, SourceTimestamp=at)
            )
        turn += batch
        due += 1 / BEATS
        await asyncio.sleep(max(0.0, due - loop.time()))


@asynccontextmanager
async def server_process(items: int, changes: int) -> AsyncIterator[int]:
    """The server's port, while it runs."""
    command = [sys.executable, "-m", "benchmarks.opcua", "--serve"]
    command += ["--items", str(items), "--changes", str(changes)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None  # noqa: S101 - asked for
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


@dataclass
class Sink:
    """Counts what the polls bring."""

    readings: int = 0
    gaps: int = 0
    lags_s: list[float] = field(default_factory=list)

    def take(self, reading: Reading) -> None:
        """One reading."""
        self.readings += 1
        self.gaps += reading.gap is not None
        if reading.source_at is not None:
            self.lags_s.append((reading.at - reading.source_at).total_seconds())


def links_to(port: int, items: int) -> Links:
    """The devices of the server behind one session."""
    points = {f"p{n}_w": Point(f"p{n}_w", OpcUaAddress(f"P{n}")) for n in range(POINTS)}
    profile = Profile(
        "bench", Kind.METER, "opcua", (), "synthetic", "generic", points, period_s=1.0, namespace=NAMESPACE
    )
    devices = [
        Device(f"d{n}", Kind.METER, "bench", f"opc.tcp://127.0.0.1:{port}/d{n}", "site")
        for n in range(items // POINTS)
    ]
    return build(devices, {"bench": profile}, {}, 1.0)


async def collect(items: int, changes: int, seconds: float) -> dict[str, Any]:
    """Run the collector against the server and take its figures."""
    async with server_process(items, changes) as port:
        links, clock, tally = links_to(port, items), wall_clock(), Tally()
        sink, session = Sink(), links.opcua[0]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work()) for work in links.background()]
            tasks += [
                group.create_task(poll(station, phase, sink.take, clock, tally))
                for station, phase in zip(links.stations, phases(len(links.stations)), strict=True)
            ]
            while session.changes < items:  # noqa: ASYNC110 - the other process is waited for by what it sends
                await asyncio.sleep(0.1)
            await asyncio.sleep(WARM_UP_S)
            figures = await measured(session, sink, seconds)
            for task in tasks:
                task.cancel()
        return figures


async def measured(session: Any, sink: Sink, seconds: float) -> dict[str, Any]:
    """What the collector used for what came in `seconds`."""
    before, cpu_s, began = session.changes, cpu(), time.perf_counter()
    readings, gaps, rss_mb = sink.readings, sink.gaps, memory_mb()
    sink.lags_s.clear()
    await asyncio.sleep(seconds)
    used_s, took_s, came = cpu() - cpu_s, time.perf_counter() - began, session.changes - before
    lags = statistics.quantiles(sink.lags_s, n=100)
    return {
        "seconds": took_s,
        "changes_per_s": came / took_s,
        "cpu_us_per_change": 1e6 * used_s / came if came else None,
        "collector_cores": used_s / took_s,
        "readings_per_s": (sink.readings - readings) / took_s,
        "gaps": sink.gaps - gaps,
        "sessions": session.sessions,
        "polled": session.polled,
        "newest_change_lag_p50_s": lags[49],
        "newest_change_lag_p99_s": lags[98],
        "rss_mb_before": rss_mb,
        "rss_mb_after": memory_mb(),
    }


def cpu() -> float:
    """CPU time of this process, user and system [s]."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_mb() -> float:
    """Resident memory of this process now [MB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Run and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=5_000, help="per second")
    parser.add_argument(
        "--seconds", type=float, default=float(os.environ.get("IGOUDAR_BENCH_SECONDS", "300"))
    )
    parser.add_argument("--serve", action="store_true", help="be the server (used by the benchmark itself)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if options.serve:
            runner.run(serve(options.items, options.changes))
            return
        figures = runner.run(collect(options.items, options.changes, options.seconds))
    machine = f"{os.cpu_count()} CPUs, Python {platform.python_version()}"
    document = {"machine": machine, "load_average": os.getloadavg()[0], "items": options.items, **figures}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n")
    print("\n".join(f"{name:26} {value}" for name, value in document.items()))  # noqa: T201 - it speaks to a person


if __name__ == "__main__":
    main()
