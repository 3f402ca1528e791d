"""Modbus TCP requests per CPU second of the client; `python -m benchmarks.wire` writes results/wire.json.

Reads of 100 registers, flat out, one in flight per connection, from the load simulator in a process of its
own: once through the wire alone (frames, checks, timeout), once through the link that production uses
(connecting, manners, patience). The figures in C are those of the same reads by a blocking libmodbus and by a
bare epoll loop that checks nothing, measured on two noisy cores on another day.
"""

import argparse
import asyncio
import json
import os
import platform
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.collecting.load import Load, simulated
from igoudar.collectors import frames
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_wire import Tcp
from igoudar.core.model import ModbusRules

RESULTS = Path(__file__).parent / "results" / "wire.json"
CONNECTIONS = (1, 100, 1000)
REGISTERS = 100
C_US = {"libmodbus": {1: 32, 100: 38, 1000: 37}, "epoll": {1: 27, 100: 7, 1000: 10}}

Ask = Callable[[], Awaitable[bytes]]


async def of_wires(places: Sequence[Tcp]) -> list[Ask]:
    """A question per connection, straight to the wire."""
    wires = [await place(3.0) for place in places]
    request = frames.read_request(1, 3, 0, REGISTERS)
    return [lambda wire=wire: wire.send(request, 3.0) for wire in wires]  # type: ignore[misc]


async def of_links(places: Sequence[Tcp]) -> list[Ask]:
    """A question per connection, through its link."""
    links = [ModbusLink(place, ModbusRules()) for place in places]
    for link in links:
        await link.connect()
    return [lambda link=link: link.read(1, 3, 0, REGISTERS) for link in links]  # type: ignore[misc]


async def rate(asks: Sequence[Ask], seconds: float) -> dict[str, float]:
    """All ask as fast as they are answered."""
    counted = 0
    until_s = time.monotonic() + seconds

    async def loop(ask: Ask) -> None:
        nonlocal counted
        while time.monotonic() < until_s:
            await ask()
            counted += 1

    began_s, began_cpu_s = time.monotonic(), time.process_time()
    await asyncio.gather(*map(loop, asks))
    cpu_s = time.process_time() - began_cpu_s
    return {
        "requests_per_s": counted / (time.monotonic() - began_s),
        "requests_per_cpu_s": counted / cpu_s,
        "cpu_us": 1e6 * cpu_s / counted,
    }


def measured(connections: int, seconds: float) -> dict[str, Any]:
    """Both ways at this many connections."""
    with simulated(Load(connections, 1, 1.0, ((0, REGISTERS),))) as (_, endpoints):
        urls = [urlsplit(url) for url in endpoints.values()]
        places = [Tcp(str(url.hostname), int(url.port or 502)) for url in urls]

        async def run(make: Callable[[Sequence[Tcp]], Awaitable[list[Ask]]]) -> dict[str, float]:
            return await rate(await make(places), seconds)

        return {
            "wire": uvloop.run(run(of_wires)),
            "link": uvloop.run(run(of_links)),
            "c_cpu_us": {name: figures[connections] for name, figures in C_US.items()},
        }


def main() -> None:
    """Run all and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each run")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}"}
    figures |= {str(number): measured(number, options.seconds) for number in CONNECTIONS}
    figures["load_average"] = os.getloadavg()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))  # noqa: T201 - a benchmark speaks to a person


if __name__ == "__main__":
    main()
