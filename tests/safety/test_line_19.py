"""19. The device's local/remote switch is respected."""

from pathlib import Path

import pytest

from igoudar.collectors.results import Rejected, Success

from .plant import plant
from .recorder import Telegram


@pytest.mark.parametrize("origin", ["plan", "override", "safety"])
async def test_line_19_nobody_writes_while_a_person_has_the_device(tmp_path: Path, origin: str) -> None:
    async with plant(tmp_path) as site:
        site.show("battery", "local_state", 1.0)
        await site.ready()
        result = await site.write("discharge_rate_pct", 10.0, "battery", origin=origin)
        assert result == Rejected("local_control")
        assert not site.recorder.written


async def test_line_19_the_switch_is_read_once_more_before_the_write(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        site.show("battery", "local_state", 1.0)  # since the last poll
        assert await site.write("discharge_rate_pct", 10.0, "battery") == Rejected("local_control")
        assert not site.recorder.written


async def test_line_19_what_stands_is_neither_renewed_nor_taken_back_there(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("discharge_rate_pct", 10.0, "battery", life_s=25.0) == Success(10.0)
        site.show("battery", "local_state", 1.0)
        written = len(site.recorder.written)
        for _ in range(4):
            await site.pass_s(10)
            await site.renewal.round()
        assert len(site.recorder.written) == written


async def test_line_19_a_device_without_the_switch_is_remote(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        site.show("battery", "local_state", None)
        await site.ready()
        assert await site.write("discharge_rate_pct", 10.0, "battery") == Success(10.0)


async def test_line_19_a_switch_that_can_not_be_read_is_not_remote(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        unit, switch = site.place("battery", "local_state")

        async def silent(telegram: Telegram) -> None:
            if (telegram.unit, telegram.address) == (unit, switch):
                site.recorder.units[unit][switch] = 0x0001

        site.recorder.before_answer = silent
        assert await site.write("discharge_rate_pct", 10.0, "battery") == Rejected("local_control")
