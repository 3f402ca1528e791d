"""8. Points whose memory wears have a daily write budget, which no restart renews."""

import asyncio
import threading
from datetime import date
from pathlib import Path

import pytest

from igoudar.collectors.checks import budget
from igoudar.collectors.results import Error, Rejected, Success
from igoudar.core.durable import write_durably

from .plant import CDU, Plant, plant, with_rules

WEARING = with_rules(CDU, "setpoint_c", eeprom=True, daily_writes=3, every_s=1.0)


async def _write_all(site: Plant, values: list[float]) -> list[str]:
    results = []
    for value in values:
        await site.pass_s(10)
        result = await site.write("setpoint_c", value, "cdu")
        results.append(result.reason if isinstance(result, Rejected) else type(result).__name__)
    return results


async def test_line_08_the_budget_ends_and_comes_back_the_next_day(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=WEARING) as site:
        await site.ready()
        spent = ["Success", "Success", "Success", "budget_spent", "budget_spent"]
        assert await _write_all(site, [25, 26, 27, 28, 29]) == spent
        assert len(site.recorder.written) == 3
        await site.pass_s(13 * 3600)
        assert await _write_all(site, [28]) == ["Success"]


async def test_line_08_a_restart_renews_nothing(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=WEARING) as site:
        await site.ready()
        assert await _write_all(site, [25, 26]) == ["Success", "Success"]
        await site.restart()
        await site.ready()
        assert await _write_all(site, [27, 28]) == ["Success", "budget_spent"]


async def test_line_08_a_clock_that_goes_back_renews_nothing(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=WEARING) as site:
        await site.ready()
        assert await _write_all(site, [25, 26, 27]) == ["Success"] * 3
        site.clock.advance(-86_400)
        await site.look()
        assert await site.write("setpoint_c", 28.0, "cdu") == Rejected("budget_spent")


async def test_line_08_attempts_count_for_a_device_may_wear_by_what_it_refuses(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=WEARING) as site:
        await site.ready()
        site.recorder.refused.add(site.place("cdu", "setpoint_c"))
        results = []
        for _ in range(5):
            await site.pass_s(700)
            results.append(await site.write("setpoint_c", 25.0, "cdu"))
        assert [type(result) for result in results] == [Error] * 3 + [Rejected] * 2


async def test_line_08_a_ruined_file_is_an_empty_budget_not_a_full_one(tmp_path: Path) -> None:
    (tmp_path / "writes.json").write_text("{ half")
    async with plant(tmp_path, cdu=WEARING) as site:
        await site.ready()
        assert await site.write("setpoint_c", 25.0, "cdu") == Rejected("budget_spent")
        assert await site.write("limit_pct", 50.0) == Success(50.0)


async def test_line_08_two_points_at_once_both_count_and_nobody_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop that polls, beats and gives back goes on while the count is brought to disk."""
    slow, turning = threading.Event(), threading.Event()

    def synced(path: Path, content: bytes) -> None:
        assert turning.wait(10)
        write_durably(path, content)
        slow.set()

    monkeypatch.setattr(budget, "write_durably", synced)
    counts, today = budget.Budget(tmp_path), date(2026, 6, 1)
    both = [asyncio.create_task(counts.spend(("cdu", point), today, 1)) for point in ("a_c", "b_c")]
    await asyncio.sleep(0)
    turning.set()  # never reached where the loop itself waits for the disk
    assert await asyncio.gather(*both) == [None, None]
    assert slow.is_set()
    again = budget.Budget(tmp_path)
    for point in ("a_c", "b_c"):
        assert await again.spend(("cdu", point), today, 1) == Rejected("budget_spent")
