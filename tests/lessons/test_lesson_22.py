"""22. No control on frozen telemetry; a rejected write is not retried until the EEPROM burns."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from igoudar.collectors.results import Error, Rejected, Success
from igoudar.core.model import Reading
from tests.safety.plant import plant


async def test_lesson_22_a_device_whose_telemetry_stands_still_is_not_driven(tmp_path: Path) -> None:
    """Its heartbeat_count counts seconds, by the model's definition: here it does not."""
    async with plant(tmp_path) as site:
        await site.ready()
        for _ in range(31):
            await site.pass_s(10)
        result = await site.write("discharge_rate_pct", 20.0, "battery", origin="override")
        assert result == Rejected("frozen_telemetry")
        assert not site.recorder.written
        site.show("battery", "heartbeat_count", 8.0)
        await site.pass_s(1)
        assert await site.write("discharge_rate_pct", 20.0, "battery") == Success(20.0)


async def test_lesson_22_what_stands_is_not_renewed_on_frozen_telemetry(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("discharge_rate_pct", 20.0, "battery", life_s=3600.0)
        for turn in range(40):
            await site.pass_s(10)
            await site.renewal.round()
            if turn == 30:
                written = len(site.recorder.written)
        assert len(site.recorder.written) == written  # 60 s after the last renewal the device is on its own


async def test_lesson_22_a_write_that_is_refused_is_tried_ever_more_seldom(tmp_path: Path) -> None:
    """SolisAgileManager#299 wrote for ever. Here control asks each 10 s for a day."""
    async with plant(tmp_path) as site:
        await site.ready()
        place = site.place("cdu", "setpoint_c")
        site.recorder.refused.add(place)
        results = []
        for turn in range(8640):
            site.clock.advance(10)
            site.wait(10)
            site.grant()
            if turn % 2 == 0:
                site.live.put(_fresh(site.live.reading("cdu"), site.clock.now()))
            results.append(await site.write("setpoint_c", 25.0, "cdu"))
        tried = len([telegram for telegram in site.recorder.written if telegram.address == place[1]])
        assert tried < 200  # the longest rest is 10 min: 144 a day, and not 8,640
        assert {type(result) for result in results} == {Error, Rejected}


async def test_lesson_22_it_is_tried_again_at_once_when_it_worked(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        site.recorder.refused.add(site.place("cdu", "setpoint_c"))
        assert isinstance(await site.write("setpoint_c", 25.0, "cdu"), Error)
        assert await site.write("setpoint_c", 25.0, "cdu") == Rejected("backing_off")
        site.recorder.refused.clear()
        await site.pass_s(10)
        assert await site.write("setpoint_c", 25.0, "cdu") == Success(25.0)
        await site.pass_s(10)
        assert await site.write("setpoint_c", 26.0, "cdu") == Success(26.0)


def _fresh(reading: Reading | None, at: datetime) -> Reading:
    assert reading is not None
    return replace(reading, at=at)
