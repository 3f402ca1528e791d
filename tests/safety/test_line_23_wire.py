"""23. Actuation is idempotent by command id (the collector's part)."""

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.checks.once import BEGUN, Once
from igoudar.collectors.results import Error, Rejected, Success
from igoudar.core.model import Setpoint
from tests.collectors.rigs import START

from .plant import plant


async def test_line_23_the_same_command_acts_once(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        wish = site.wish("limit_pct", 50.0)
        assert await site.actuator.write(wish) == Success(50.0)
        written = len(site.recorder.written)
        site.show("inverter", "limit_pct", 90.0)
        await site.pass_s(60)
        assert await site.actuator.write(wish) == Success(50.0)  # what became of it, not a second write
        assert len(site.recorder.written) == written


async def test_line_23_twice_at_the_same_moment_acts_once(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        wish = site.wish("limit_pct", 50.0)
        results = await asyncio.gather(*(site.actuator.write(wish) for _ in range(5)))
        assert results == [Success(50.0)] * 5
        assert len([point for point, _ in site.wrote if point == "limit_pct"]) == 1


async def test_line_23_a_restart_does_not_forget(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        wish = site.wish("limit_pct", 50.0)
        assert await site.actuator.write(wish) == Success(50.0)
        await site.restart()
        await site.ready()
        written = len(site.recorder.written)
        assert await site.actuator.write(wish) == Success(50.0)
        assert len(site.recorder.written) == written


async def test_line_23_a_command_that_was_begun_before_a_crash_is_not_begun_again(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        wish = site.wish("limit_pct", 50.0)
        site.actuator._once.begins(wish)
        await site.restart()
        await site.ready()
        result = await site.actuator.write(wish)
        assert isinstance(result, Error)
        assert not site.recorder.written


async def test_line_23_an_id_is_not_used_for_something_else(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 50.0, command_id="same")
        assert await site.write("setpoint_c", 25.0, "cdu", command_id="same") == Rejected("id_reused")


async def test_line_23_a_refusal_before_the_wire_is_no_act(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.look()
        wish = site.wish("limit_pct", 50.0)
        assert await site.actuator.write(wish) == Rejected("no_authority")
        await site.ready()
        assert await site.actuator.write(wish) == Success(50.0)


def test_line_23_a_cut_line_costs_only_itself(tmp_path: Path) -> None:
    once = Once(tmp_path)
    for number in range(3):
        once.ended(_wish(f"c{number}"), Success(float(number)))
    once.close()
    file = tmp_path / "commands.jsonl"
    file.write_bytes(file.read_bytes()[:-9])
    once = Once(tmp_path)
    assert [once.known(_wish(f"c{number}")) for number in range(3)] == [Success(0.0), Success(1.0), None]
    once.close()


@given(names=st.lists(st.integers(0, 30).map(str), max_size=120))
def test_line_23_the_last_are_remembered_and_memory_is_bounded(
    names: list[str], tmp_path_factory: object
) -> None:
    folder = tmp_path_factory.mktemp("once")  # type: ignore[attr-defined]
    once = Once(folder, most=8)
    for name in names:
        once.begins(_wish(name))
    once.close()
    last = list(dict.fromkeys(reversed(names)))
    again = Once(folder, most=8)
    assert [again.known(_wish(name)) for name in last[:8]] == [BEGUN] * len(last[:8])
    assert all(again.known(_wish(name)) is None for name in last[8:])
    assert len((folder / "commands.jsonl").read_text().splitlines()) <= 4 * 8 + 8
    again.close()


def _wish(name: str) -> Setpoint:
    return Setpoint("inverter", "limit_pct", 50.0, START, name)
