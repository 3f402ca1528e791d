"""2. A dry run sends no write at all: proved at the wire."""

from pathlib import Path

import pytest

from igoudar.collectors.authority import Authority
from igoudar.collectors.results import Rejected

from .plant import AUTO, plant

WISHES = [
    ("inverter", "limit_pct", 50.0),
    ("battery", "discharge_rate_pct", 20.0),
    ("cdu", "setpoint_c", 25.0),
]


@pytest.mark.parametrize(
    ("modes", "reason"),
    [
        ({}, "observe"),
        (dict.fromkeys(AUTO, "observe"), "observe"),
        (dict.fromkeys(AUTO, "advise"), "not_approved"),
    ],
)
async def test_line_02_no_write_function_code_leaves_unless_somebody_switched_it_on(
    tmp_path: Path, modes: dict[str, str], reason: str
) -> None:
    async with plant(tmp_path) as site:
        await site.ready(modes=modes)
        for device, point, value in WISHES:
            assert await site.write(point, value, device) == Rejected(reason)
        for _ in range(3):
            await site.renewal.round()
            await site.look()
        assert not site.heart.may_beat(site.stations["battery"])
        await site.renewal.stop()
        assert site.recorder.telegrams
        assert not site.recorder.written


async def test_line_02_without_any_authority_nothing_leaves(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.look()
        site.wait(100)
        for device, point, value in WISHES:
            assert await site.write(point, value, device) == Rejected("no_authority")
        site.mandate.take(Authority(1, "control", 30.0, cycle=1))
        assert await site.write("limit_pct", 50.0) == Rejected("observe")
        assert not site.recorder.written


async def test_line_02_the_recorder_sees_a_write_when_there_is_one(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 50.0)
        assert {telegram.function for telegram in site.recorder.written} == {16}
