"""An event storm on the simulated 40 MW site, in virtual time; `python -m benchmarks events`.

200 events by chance (sheds, caps, import caps; with and without notice; some at once, some ended early), in
eight storms of 25 with a seed each. Meters are polled every 5 s, a control cycle is 10 s; a fifth of the jobs
is urgent besides the urgent half of every rack. Writes results/events.json and the table in
docs/demand-response.md.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.control.demand_response.rig import rig, urgent
from tests.control.demand_response.storm import Line, storm

RESULTS = Path(__file__).parent / "results" / "events.json"
PAGE = Path(__file__).parents[1] / "docs" / "demand-response.md"
BEGIN, END = "<!-- measured: begin (make bench BENCH=events) -->", "<!-- measured: end -->"
STORMS, EVENTS, LONGEST_MIN = 8, 25, 30.0
HEADS = (
    *("kind", "events", "limit reached [s] median / worst", "minutes met / missed", "quarters met / missed"),
    *("events without a lever left", "missed although a lever was left", "fastest return [MW/min]"),
)


@dataclass(frozen=True)
class Account:
    """What is kept of one event."""

    kind: str
    limit_w: float
    wanted_w: float
    lasted_s: float
    notice_s: float
    reached_s: float | None
    minutes: tuple[int, int, int]  # met, missed, unknown
    quarters: tuple[int, int, int]
    over_w: float  # worst true minute over the limit
    short_w: float  # that no lever covered
    paused: int
    lost: int
    rise_w_per_min: float
    owed_gpu_h: float


@dataclass(frozen=True)
class Storm:
    """One seed's."""

    seed: int
    accounts: tuple[Account, ...]
    commands: int
    urgent_touched: int
    left_standing: int


def main() -> None:
    """Run all storms, two at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storms", type=int, default=STORMS)
    parser.add_argument("--events", type=int, default=EVENTS, help="in each storm")
    asked = parser.parse_args()
    figures = run(asked.storms, asked.events, LONGEST_MIN)
    RESULTS.write_text(json.dumps(figures, indent=1))
    write_page(figures)
    print(measured(figures))  # noqa: T201 - it is asked for on a terminal


def run(storms: int, events: int, longest_min: float) -> dict[str, Any]:
    """The figures of some storms."""
    with ProcessPoolExecutor(2) as pool:
        tasks = [pool.submit(one, seed, events, longest_min) for seed in range(1, storms + 1)]
        found = [asdict(task.result()) for task in tasks]
    return {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "storms": found}


def one(seed: int, events: int, longest_min: float) -> Storm:
    """One storm in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        site = rig(Path(folder), seed=seed)
        lines = asyncio.run(storm(site, events, seed, longest_min))
        touched = sum(urgent(command.target) for command in site.carrier.done)
        left = len(site.room.memory.paused)
        site.room.book.records.close()
    return Storm(seed, tuple(map(_account, lines)), len(site.carrier.done), touched, left)


def _account(line: Line) -> Account:
    event = line.event
    end = event.back_from_at or event.starts_at
    reached = event.reached_at
    return Account(
        kind=event.kind.value,
        limit_w=event.limit_w,
        wanted_w=line.wanted_w,
        lasted_s=(end - event.starts_at).total_seconds(),
        notice_s=(event.starts_at - event.at).total_seconds(),
        reached_s=(reached - event.act_from).total_seconds() if reached else None,
        minutes=(event.minutes.met, event.minutes.missed, event.minutes.unknown),
        quarters=(event.quarters.met, event.quarters.missed, event.quarters.unknown),
        over_w=line.truth_over_w,
        short_w=line.short_w,
        paused=line.paused,
        lost=len(event.lost),
        rise_w_per_min=line.rise_w_per_min,
        owed_gpu_h=line.owed_gpu_s / 3600.0,
    )


def accounts(figures: Mapping[str, Any]) -> list[Account]:
    """All events of all storms."""
    return [Account(**account) for storm_ in figures["storms"] for account in storm_["accounts"]]


def write_page(figures: Mapping[str, Any]) -> None:
    """Put the table between the marks; what people write around it stays."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{measured(figures)}{END}{after}", encoding="utf-8")


def measured(figures: Mapping[str, Any]) -> str:
    """The table and what it can't hold."""
    found = accounts(figures)
    kinds = [*sorted({account.kind for account in found}), "all"]
    rows = [_row(kind, [one for one in found if kind in (one.kind, "all")]) for kind in kinds]
    lines = [" | ".join(HEADS), " | ".join("---" for _ in HEADS), *(" | ".join(row) for row in rows)]
    table = "\n".join(f"| {line} |" for line in lines)
    return f"{len(found)} events in {len(figures['storms'])} storms.\n\n{table}\n\n{_rest(figures, found)}\n"


def _row(kind: str, found: Sequence[Account]) -> list[str]:
    times = sorted(one.reached_s for one in found if one.reached_s is not None)
    short = [one for one in found if one.short_w > 0.0]
    bad = [one for one in found if one.short_w <= 0.0 and (one.minutes[1] or one.quarters[1])]
    return [
        kind,
        str(len(found)),
        f"{times[len(times) // 2]:.0f} / {times[-1]:.0f}" if times else "-",
        f"{sum(one.minutes[0] for one in found)} / {sum(one.minutes[1] for one in found)}",
        f"{sum(one.quarters[0] for one in found)} / {sum(one.quarters[1] for one in found)}",
        str(len(short)),
        str(len(bad)),
        f"{max((one.rise_w_per_min for one in found), default=0.0) / 1e6:.2f}",
    ]


def _rest(figures: Mapping[str, Any], found: Sequence[Account]) -> str:
    touched = sum(storm_["urgent_touched"] for storm_ in figures["storms"])
    commands = sum(storm_["commands"] for storm_ in figures["storms"])
    standing = sum(storm_["left_standing"] for storm_ in figures["storms"])
    lost = sum(one.lost for one in found)
    worst_w = max((one.over_w for one in found if one.short_w <= 0.0), default=0.0)
    return (
        f"{commands} commands; urgent jobs touched: {touched}; jobs left standing: {standing}; "
        f"deadlines given, each named: {lost}. Worst true minute over its limit, by the plant's own energy, "
        f"while a lever was left: {max(0.0, worst_w) / 1e3:.0f} kW."
    )


if __name__ == "__main__":
    main()
