"""The 40 MW site with a real Slurm under a grid emergency; `python -m benchmarks emergency [CASE ...]`.

The whole product as processes: `igoudar up` with all its parts on `dakhla-phase1`, whose 290 racks follow
the allocation of a real Slurm of 64 emulated nodes (a node stands for 4.53 racks). Slurm is full: 40 % of its
GPUs with urgent jobs, 60 % with flexible ones, more of them waiting. Cases:

- `shed`: battery locked out, 30 % less at speed 1; time until the four transformer meters, read from their
  registers by another Modbus client, are at the limit.
- `hold`: battery locked out, 25 % for 3 h of site time at speed 30, 30 min of notice; without the devices
  at each rack (PDUs, GPUs, sensors, power shelves), which a fast clock would have read every second.
- `import`: battery allowed, an import cap for 3 h at speed 1, ended by the operator after 10 min. Before it
  the battery covers by itself what sun and wind lack; its stock does not last at that power for so long, so
  that the other levers must take over a part, while the grid meter stays under the limit.

Writes results/emergency.json and the second table of docs/demand-response.md.
"""

import argparse
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.app.live import Live, up, wait_until
from tests.peers.slurm import Cluster, cluster

from benchmarks.demand.page import write_page
from benchmarks.demand.registers import Registers
from benchmarks.demand.trace import EVERY_S, Trace
from igoudar.control.schema_events import EventView
from igoudar.core.errors import IgoudarError

RESULTS = Path(__file__).parent / "results" / "emergency.json"
NODES, URGENT_NODES, PATIENCE_S = 64, 26, 600.0  # 26 of 64 nodes: 40.6 % of the GPUs
FULL_W = 0.9 * 40e6
LEAST_IMPORT_W = 1e6
LONG = "sleep 7200"  # wall: nothing ends by itself while it is measured
NO_BATTERY = '["caps", "jobs", "loads"]'
ALL = '["battery", "caps", "jobs", "loads"]'
RACK_LEVEL = re.compile(r'profile = "(xerus-pdu|dcgm-rack|generic-rack-sensors|redfish-power-shelf)"')
TABLES = """
[scheduler]
kind = "slurm"
slurm_conf = "{conf}"
flexible_partitions = ["flex"]
watts_licence = "watts"

[scheduler.racks_per_node]
"gpu{{01..64}}" = ["{{hall:a..c}}{{row:1..5}}-{{position:01..16}}", "d{{row:1..5}}-{{position:01..10}}"]

[emergency]
levers = {levers}
response_s = {response_s}
"""


@dataclass(frozen=True)
class Case:
    """One run."""

    speed: float
    levers: str
    verb: str
    body: Mapping[str, object]
    ends_within_s: float  # wall, from the request
    watched_s: float | None = None  # wall; an operator ends it then
    light: bool = False  # without the devices at each rack, which are read every second on a fast clock


CASES = {
    "shed": Case(1, NO_BATTERY, "shed", {"share": 0.30, "for_s": 120.0, "reason": "grid emergency"}, 1500),
    "hold": Case(
        30,
        NO_BATTERY,
        "shed",
        {"share": 0.25, "for_s": 10_800.0, "notice_s": 1_800.0, "reason": "demand response"},
        1500,
        light=True,
    ),
    "import": Case(
        1,
        ALL,
        "cap",
        {"on_import": True, "for_s": 10_800.0, "reason": "grid emergency"},
        1500,
        watched_s=600.0,
    ),
}


def main() -> None:
    """Run the cases that were asked for, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES), choices=list(CASES))
    asked = parser.parse_args().cases
    figures = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"cases": {}}
    figures |= {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    for name in asked:
        figures["cases"][name] = run(CASES[name])
        figures["cases"][name]["load_average"] = os.getloadavg()[0]
        RESULTS.write_text(json.dumps(figures, indent=1))
        write_page(figures)
        print(name, json.dumps(figures["cases"][name], indent=1), file=sys.stderr)  # noqa: T201 - a measurement


def run(case: Case) -> dict[str, Any]:
    """One case on a fresh site and a fresh Slurm."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        slurm = stack.enter_context(cluster(NODES))
        urgent, flexible = fill(slurm)
        live = stack.enter_context(
            up(folder / "state", site_file(slurm, folder, case), "--speed", str(case.speed))
        )
        with live.api() as api:
            api.set_mode("auto", "emergency benchmark")
        wait_until("a full site", lambda: load_w(live) > FULL_W, PATIENCE_S)
        wait_until("a baseline", lambda: has_baseline(live), PATIENCE_S)
        return {"before": standing(live, slurm, urgent, flexible), **ask(live, slurm, case, urgent)}


def site_file(slurm: Cluster, folder: Path, case: Case) -> str:
    """The 40 MW site with this Slurm, in a file of its own."""
    written = files("igoudar.seeds").joinpath("dakhla-phase1.toml").read_text()
    if case.light:
        head, *devices = written.split("[[devices]]")
        kept = [entry for entry in devices if not RACK_LEVEL.search(entry)]
        written = "[[devices]]".join([head, *kept])
    path = folder / "dakhla-phase1.toml"
    path.write_text(
        written + TABLES.format(conf=slurm.conf, levers=case.levers, response_s=30.0 * case.speed)
    )
    return str(path)


def fill(slurm: Cluster) -> tuple[list[str], list[str]]:
    """Urgent and flexible jobs on every GPU, and flexible ones that wait."""
    options = ("--partition=gpu", "--time=600")
    urgent = [slurm.submit(*options, script=LONG, gpus=8) for _ in range(URGENT_NODES)]
    for job in urgent:
        slurm.wait_state(job, "RUNNING", within_s=60)
    flexible: list[str] = []
    for number in range(NODES - URGENT_NODES):
        gpus = (8, 4, 2)[number % 3]
        options = ("--partition=flex", "--time=600")
        flexible += [slurm.submit(*options, script=LONG, gpus=gpus) for _ in range(8 // gpus)]
    for job in flexible:
        slurm.wait_state(job, "RUNNING", within_s=60)
    waiting = [slurm.submit("--partition=flex", "--time=60", gpus=4) for _ in range(20)]
    return urgent, flexible + waiting


def ask(live: Live, slurm: Cluster, case: Case, urgent: list[str]) -> dict[str, Any]:
    """Open the event, watch meters until it is reached, then the event until it is over."""
    meters = Registers(live)
    before = {job: slurm.jobs()[job]["start_time"] for job in urgent}
    body = dict(case.body)
    with live.api() as api:
        if body.get("on_import"):
            imported_w = api.status().import_w or 0.0
            body["limit_w"] = max(LEAST_IMPORT_W, imported_w - 5e6)
        began = time.monotonic()
        event = api.open_event(case.verb, body)
    reached_s = None if body.get("on_import") or case.speed > 1 else meters.below(event.limit_w, began)
    trace = Trace(event.id)
    if case.watched_s is not None:
        watch(live, trace, began + case.watched_s)
        with live.api() as api:
            api.cancel_event(event.id, "measured for long enough")
    over = wait_until("the end", lambda: ended(live, trace, case), case.ends_within_s)
    return {
        "event": over.model_dump(mode="json"),
        "most_w": trace.most_w,
        "highest_w": trace.highest_w,
        "not_kept": trace.failures,
        "reached_wall_s": reached_s,
        "urgent_untouched": all(
            slurm.state(job) == "RUNNING" and slurm.jobs()[job]["start_time"] == start
            for job, start in before.items()
        ),
        "audit": sorted({row.verb for row in audit(live) if row.target in before}),
    }


def load_w(live: Live) -> float:
    """Facility load as control sees it."""
    with live.api() as api:
        return api.events().load_w or 0.0


def has_baseline(live: Live) -> bool:
    """Whether a shed could be asked for, and its baseline shows the full site."""
    try:
        with live.api() as api:
            tried = api.preview_event("shed", {"share": 0.3, "reason": "baseline"})
    except IgoudarError:  # refused until the meters were read for a minute
        return False
    return (tried.baseline_w or 0.0) > FULL_W


def watch(live: Live, trace: Trace, until: float) -> None:
    """Look at the event until a monotonic time."""
    with live.api() as api:
        while time.monotonic() < until:
            trace.note(api.events())
            time.sleep(EVERY_S)


def ended(live: Live, trace: Trace, case: Case) -> EventView | None:
    """The event once its intervals are told: on its way back at speed 1, else over."""
    with live.api() as api:
        found = trace.note(api.events())
    over = ("returning", "done") if case.speed == 1 else ("done",)
    return found if found.state in over else None


def standing(live: Live, slurm: Cluster, urgent: list[str], flexible: list[str]) -> dict[str, Any]:
    """What the run begins with."""
    with live.api() as api:
        status = api.status()
    return {
        "facility_w": status.facility_w,
        "import_w": status.import_w,
        "battery_w": status.battery_w,
        "devices_answering": status.devices_answering,
        "devices": status.devices,
        "urgent_jobs": len(urgent),
        "flexible_jobs": len(flexible),
        "running": sum(slurm.state(job) == "RUNNING" for job in flexible),
    }


def audit(live: Live) -> list[Any]:
    """The newest actions."""
    with live.api() as api:
        return list(api.actions(limit=1000))


if __name__ == "__main__":
    main()
