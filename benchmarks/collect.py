"""The collector under load; `python -m benchmarks.collect` writes results/collect.json.

The load of `load-12k.toml`, simulator and collector each in a process of its own; then with as many
connections as units; then the two pymodbus loops on the same simulator. A point is one field value. Needs
RLIMIT_NOFILE of 13,000 for either process; the limit is raised to the hard one at the start.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.collecting.load import Load, simulated
from benchmarks.collecting.process import Look, look

RESULTS = Path(__file__).parent / "results" / "collect.json"
WARM_S = 20.0  # connecting and the first polls, before the measured time
LOOKS = 10
PEER_S = 30.0
PEERS = {"plain": 600, "merged": 6000, "tuned": 12_000}  # units that each keeps up with


def measured(load: Load, seconds: float) -> dict[str, Any]:
    """One run of ours: what was stored of what was asked, at what price."""
    with simulated(load) as (simulator, endpoints), tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), load, endpoints)
        words = [sys.executable, "-m", "benchmarks.collecting.ours", folder]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ours:  # noqa: S603
            try:
                time.sleep(WARM_S)
                _ask(ours)
                looks, field = [look(ours.pid)], [look(simulator)]
                began_s = time.monotonic()
                for _ in range(LOOKS):
                    time.sleep(seconds / LOOKS)
                    looks.append(look(ours.pid))
                field.append(look(simulator))
                wall_s, counted = time.monotonic() - began_s, _ask(ours)
            finally:
                assert ours.stdin is not None  # noqa: S101 - a pipe was asked for
                ours.stdin.close()
    return _figures(load, counted, looks, wall_s) | {
        "simulator_cores": (field[1].cpu_s - field[0].cpu_s) / wall_s,
        "simulator_rss_mb": field[1].rss_mb,
    }


def _figures(load: Load, counted: dict[str, float], looks: Sequence[Look], wall_s: float) -> dict[str, Any]:
    cpu_s = looks[-1].cpu_s - looks[0].cpu_s
    return {
        "devices": load.devices,
        "connections": load.gateways,
        "seconds": wall_s,
        "points_per_s": counted["points"] / wall_s,
        "points_per_s_asked": load.points_per_s,
        "missed_share": max(0.0, 1.0 - counted["readings"] * load.period_s / load.devices / wall_s),
        **{key: value for key, value in counted.items() if key.startswith("stored_")},
        "collector_cores": cpu_s / wall_s,
        "collector_rss_mb": looks[-1].rss_mb,
        "collector_rss_mb_by_time": [round(each.rss_mb) for each in looks],
        "collector_fds_by_time": [each.fds for each in looks],
        "points_per_cpu_s": counted["points"] / cpu_s,
    }


def peer(kind: str, load: Load, units: int, seconds: float) -> dict[str, float]:
    """One pymodbus loop on the first `units` of the load: as many as it can keep up with."""
    with simulated(load) as (_, endpoints):
        document = json.dumps({"load": asdict(load), "endpoints": endpoints})
        words = [sys.executable, "-m", "benchmarks.collecting.peers", kind, "--seconds", str(seconds)]
        words += ["--units", str(units)]
        run = subprocess.run(words, input=document, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    counted = json.loads(run.stdout)
    return {**counted, "points_per_cpu_s": counted["points"] / counted["cpu_s"]}


def _write(folder: Path, load: Load, endpoints: dict[str, str]) -> None:
    (folder / "load.json").write_text(json.dumps({"load": asdict(load), "endpoints": endpoints}))


def _ask(ours: "subprocess.Popen[str]") -> dict[str, float]:
    assert ours.stdin is not None and ours.stdout is not None  # noqa: S101, PT018 - pipes were asked for
    ours.stdin.write("\n")
    ours.stdin.flush()
    counted: dict[str, float] = json.loads(ours.stdout.readline())
    return counted


def main() -> None:
    """Run all and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="of each run of ours")
    parser.add_argument("--only-first", action="store_true", help="leave out the second run and the peers")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    load = Load.of_file()
    figures = {"machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}"}
    figures |= measured(load, options.seconds)
    if not options.only_first:
        figures["one_connection_each"] = measured(load.one_each(), options.seconds)
        figures |= _compared(load, figures, min(PEER_S, options.seconds))
    figures["load_average"] = os.getloadavg()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))  # noqa: T201 - a benchmark speaks to a person


def _compared(load: Load, ours: dict[str, Any], seconds: float) -> dict[str, Any]:
    peers = {kind: peer(kind, load, units, seconds) for kind, units in PEERS.items()}
    return {
        "ratio_to_pymodbus_loop": ours["points_per_cpu_s"] / peers["plain"]["points_per_cpu_s"],
        "ratio_to_merged_pymodbus_loop": ours["points_per_cpu_s"] / peers["merged"]["points_per_cpu_s"],
        "ratio_to_tuned_pymodbus_loop": ours["points_per_cpu_s"] / peers["tuned"]["points_per_cpu_s"],
        "peers": peers,
    }


if __name__ == "__main__":
    main()
