import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.control.demand_response.rig import plan_of, rig, urgent
from tests.control.demand_response.storm import Line, storm

from igoudar.control.demand_response.rules import RAMP_SHARE

SLACK_W = 20e3
RAMP = 1.1  # of the stated one: the urgent load moves too


def check_line(line: Line) -> None:
    event = line.event
    assert event.minutes.unknown == event.quarters.unknown == 0
    if line.short_w <= 0.0:
        assert line.kept
        assert line.truth_over_w <= SLACK_W


async def test_ten_random_events_keep_their_limits_and_touch_nothing_urgent(tmp_path: Path) -> None:
    site = rig(tmp_path, seed=3)
    lines = await storm(site, 10, 3, longest_min=12.0)
    for line in lines:
        check_line(line)
        assert line.rise_w_per_min <= RAMP * site.room.rules.ramp_w_per_min
    assert sum(line.event.minutes.met for line in lines) > 80
    assert not [command for command in site.carrier.done if urgent(command.target)]
    assert site.room.memory.idle
    debts = site.room.memory.debts
    assert debts.paid_gpu_s + debts.dropped_gpu_s + debts.rest_gpu_s == pytest.approx(debts.incurred_gpu_s)
    site.room.book.records.close()


@pytest.mark.soak
def test_two_hundred_random_events_keep_their_limits() -> None:
    subprocess.run([sys.executable, "-m", "benchmarks", "events"], cwd=ROOT, check=True)
    storms = json.loads((ROOT / "benchmarks" / "results" / "events.json").read_text())["storms"]
    found = [account for one in storms for account in one["accounts"]]
    assert len(found) >= 200
    assert (
        max(one["rise_w_per_min"] for one in found) <= RAMP * RAMP_SHARE * plan_of("dakhla-phase1").site.it_w
    )
    assert not [one for one in found if not one["short_w"] and (one["minutes"][1] or one["quarters"][1])]
    assert sum(one["urgent_touched"] + one["left_standing"] for one in storms) == 0
