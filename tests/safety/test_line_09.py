"""9. Read back within T; a mismatch is a failure, an acknowledged write that changed nothing too."""

from pathlib import Path

from igoudar.collectors.results import Error, Partial, Success

from .plant import CDU, INVERTER, Plant, plant, with_rules
from .recorder import Telegram

QUICK = with_rules(CDU, "setpoint_c", verify_s=0.1, every_s=0.0)


async def test_line_09_acknowledged_and_nothing_changed_is_an_error(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=QUICK) as site:
        await site.ready()
        site.recorder.deaf.add(site.place("cdu", "setpoint_c"))
        result = await site.write("setpoint_c", 25.0, "cdu")
        assert result == Error("setpoint_c was acknowledged, but still holds 30")
        assert len(site.recorder.written) == 1
        assert site.actuator.metrics()['collector_writes_total{result="error"}'] == 1


async def test_line_09_another_value_than_asked_is_an_error(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=QUICK) as site:
        await site.ready()

        async def clamp(telegram: Telegram) -> None:
            if not telegram.writes and telegram.address == 120 and site.recorder.written:
                site.recorder.units[3][120] = 270

        site.recorder.before_answer = clamp
        result = await site.write("setpoint_c", 25.0, "cdu")
        assert result == Error("setpoint_c reads back as 27 instead of 25")


async def test_line_09_a_device_has_its_time_to_follow(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=with_rules(CDU, "setpoint_c", verify_s=5.0)) as site:
        await site.ready()
        site.recorder.deaf.add(site.place("cdu", "setpoint_c"))
        looks = 0

        async def follow(telegram: Telegram) -> None:
            nonlocal looks
            looks += telegram.address == 120 and bool(site.recorder.written)
            if looks == 4:  # the write and two looks were before
                site.recorder.units[3][120] = 250

        site.recorder.before_answer = follow
        assert await site.write("setpoint_c", 25.0, "cdu") == Success(25.0)


async def test_line_09_a_value_without_its_switch_is_half_a_success(tmp_path: Path) -> None:
    async with plant(tmp_path, inverter=with_rules(INVERTER, "limit_pct", verify_s=0.1)) as site:
        await site.ready()
        site.recorder.deaf.add(site.place("inverter", "limit_enabled_state"))
        result = await site.write("limit_pct", 50.0)
        assert result == Partial(50.0, "limit_enabled_state reads back as 0 instead of 1")


async def test_line_09_a_device_that_vanishes_between_is_an_error(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()

        async def vanish(telegram: Telegram) -> None:
            if telegram.writes:
                _close(site)

        site.recorder.before_answer = vanish
        result = await site.write("setpoint_c", 25.0, "cdu")
        assert isinstance(result, Error)


def _close(site: Plant) -> None:
    assert site.recorder.server is not None
    site.recorder.server.close()
