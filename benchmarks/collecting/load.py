"""The load of `load-12k.toml`: as a simulator process, and as the site and profile that describe it."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from igoudar.core.model import Device, Kind, ModbusAddress, Point, Profile, Site

FILE = Path(__file__).parent.parent / "load-12k.toml"


@dataclass(frozen=True, slots=True)
class Load:
    """How many units, what each has, how often it is read."""

    gateways: int
    units: int
    period_s: float
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of_file(cls, path: Path = FILE) -> "Load":
        """Read the description."""
        return cls.of_table(tomllib.loads(path.read_text()))

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> "Load":
        """The load that a file's table or another process's document says."""
        spans = tuple((int(first), int(registers)) for first, registers in table["spans"])
        return cls(table["gateways"], table["units"], table["period_s"], spans)

    def one_each(self) -> "Load":
        """As many connections as units."""
        return replace(self, gateways=self.gateways * self.units, units=1)

    def point_by_point(self) -> "Load":
        """The same values, a read for each."""
        spans = tuple((at, 2) for first, registers in self.spans for at in range(first, first + registers, 2))
        return replace(self, spans=spans)

    @property
    def devices(self) -> int:
        """Units in all."""
        return self.gateways * self.units

    @property
    def points(self) -> int:
        """Values of one unit."""
        return sum(registers for _, registers in self.spans) // 2

    @property
    def points_per_s(self) -> float:
        """What is asked for."""
        return self.devices * self.points / self.period_s

    def profile(self) -> Profile:
        """The product that every unit is."""
        registers = [first + 2 * n for first, count in self.spans for n in range(count // 2)]
        points = (
            Point(f"p{n:02d}_w", ModbusAddress(r, "f32"), plausible=(-1e6, 1e6))
            for n, r in enumerate(registers)
        )
        return Profile(
            "load",
            Kind.METER,
            "modbus",
            ("load",),
            "benchmark",
            "generic",
            {p.name: p for p in points},
            self.period_s,
        )

    def site(self, endpoints: dict[str, str]) -> Site:
        """A site with these units and nothing else."""
        devices = tuple(Device(name, Kind.METER, "load", url, "grid") for name, url in endpoints.items())
        return Site("load", "Load", 0.0, 0.0, 0.0, "UTC", (), (), (), devices)


@contextmanager
def simulated(load: Load) -> Iterator[tuple[int, dict[str, str]]]:
    """The simulator's process id and its endpoints, while it runs."""
    words = ["--gateways", str(load.gateways), "--units", str(load.units)]
    for first, registers in load.spans:
        words += ["--span", f"{first}:{registers}"]
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "igoudar.simulators.load", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
        try:
            yield process.pid, json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
