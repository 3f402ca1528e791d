"""The confirmation shows old value, new value, unit, expiry, and the effect."""

import asyncio
from datetime import timedelta
from typing import Any

from igoudar.control.cli import told
from igoudar.control.views.hands import preview_view

from .wishes import HOUR, RATE, settle


async def test_line_22_of_a_point(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    plant.values[RATE] = 100.0
    plant.values["battery-1", "active_power_w"] = 200e3
    await settle(loop, plant)
    now = plant.clock.now()
    wish = rooms.hands.wish(*RATE, 10.0, now + HOUR, "ada", "drill", now)
    seen = preview_view(loop.acting.executor, wish, now)
    assert (seen.old, seen.new, seen.unit, seen.expires_at) == (100.0, 10.0, "pct", now + HOUR)
    assert seen.effect_w == 200e3 - 0.1 * 500e3
    assert (seen.refusal, seen.waits_for) == (None, 0)
    line = told.change(seen, "Africa/El_Aaiun", "en")
    for word in ("battery-1", "100.0%", "10.0%", "Africa/El_Aaiun", "+150"):
        assert word in line or word.replace(".0", "") in line
    assert plant.writes == []


async def test_line_22_of_a_job(rig: Any, plant: Any, cluster: Any) -> None:
    loop, rooms = rig
    cluster.add("job-1", begin_at=None)
    now = plant.clock.now()
    until = now + timedelta(hours=3)
    wish = await rooms.operator.wish("job-1", "delay", "ada", "later", now, until)
    seen = preview_view(loop.acting.executor, wish, now)
    assert (seen.old, seen.new, seen.expires_at) == ("waiting", until.isoformat(), until)
    assert seen.effect_w is not None
    assert seen.effect_w < -1e3
    assert cluster.calls == []


async def test_line_22_it_says_beforehand_what_would_be_refused(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    now = plant.clock.now()
    wish = rooms.hands.wish(*RATE, 150.0, now + HOUR, "ada", "drill", now)
    refusal = preview_view(loop.acting.executor, wish, now).refusal
    assert refusal is not None
    assert refusal.code == "guard.out_of_bounds"
    await asyncio.sleep(0)
