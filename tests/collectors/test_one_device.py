"""What one device does to the collector does not reach the others."""

from datetime import datetime
from pathlib import Path

import pytest

from igoudar.collectors.poll import Station
from igoudar.collectors.procedure import Order
from igoudar.collectors.readers import Permit
from igoudar.collectors.results import Success
from igoudar.core.model import Point, Setpoint
from tests.safety.plant import Plant, plant


async def _two(site: Plant) -> None:
    await site.ready()
    assert await site.write("limit_pct", 50.0, life_s=15.0) == Success(50.0)
    assert await site.write("setpoint_c", 25.0, "cdu", life_s=15.0) == Success(25.0)


def _broken(site: Plant, device: str) -> None:
    """From now on every write to `device` fails in a way that nobody foresaw."""
    order = site.actuator.order

    async def raising(wish: Setpoint, value: float, permit: Permit) -> Order:
        if wish.device == device:
            raise KeyError(device)
        return await order(wish, value, permit)

    site.actuator.order = raising  # type: ignore[method-assign]


async def test_a_device_that_breaks_a_round_leaves_the_others_looked_after(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await _two(site)
        _broken(site, "inverter")
        await site.pass_s(20)
        await site.renewal.round()
        assert site.held("cdu", "setpoint_c") == 30.0
        assert [held.wish.device for held in site.actuator.holds] == ["inverter"]


async def test_a_device_that_breaks_a_stop_leaves_the_others_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path) as site:
        await _two(site)
        _broken(site, "inverter")
        monkeypatch.setattr("igoudar.collectors.renewal.STOP_S", 0.5)
        await site.renewal.stop()
        assert site.held("cdu", "setpoint_c") == 30.0


async def test_what_no_timer_takes_back_is_tried_ever_more_slowly_and_never_dropped(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await _two(site)
        address = site.place("cdu", "setpoint_c")
        site.recorder.refused.add(address)
        await site.pass_s(20)
        written: list[int] = []
        for _ in range(300):
            await site.renewal.round()
            written.append(sum(t.unit == address[0] for t in site.recorder.written))
            site.wait(1.0)
            site.grant()
        tries = written[-1] - 1
        assert 9 <= tries <= 13
        assert written[-1] - written[150] <= 3
        assert site.actuator.holds.lost == 1
        assert [held.wish.device for held in site.actuator.holds] == ["cdu"]
        site.recorder.refused.clear()
        site.wait(60.0)
        site.grant()
        await site.renewal.round()
        assert site.held("cdu", "setpoint_c") == 30.0
        assert len(site.actuator.holds) == 0


async def test_a_slow_device_does_not_cost_the_others_their_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path) as site:
        await _two(site)
        monkeypatch.setattr("igoudar.collectors.renewal.STOP_S", 0.5)
        async with site.actuator.turns["inverter"]:  # its write does not end
            await site.renewal.stop()
        assert site.held("cdu", "setpoint_c") == 30.0
        assert [held.wish.device for held in site.actuator.holds] == ["inverter"]


async def test_a_rule_that_fails_is_told_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def failing() -> datetime:
        raise ZeroDivisionError

    async with plant(tmp_path) as site:
        await _two(site)
        site.actuator.now = failing  # type: ignore[method-assign]
        await site.renewal.round()
        assert caplog.text.count("could not be looked after") == 2


async def test_a_heartbeat_that_breaks_is_told_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        station: Station = site.stations["battery"]

        async def broken(point: Point) -> float:
            raise KeyError(point.name)

        monkeypatch.setattr(station.reader, "ask", broken)
        await site.heart._once(station, station.profile.points["controller_heartbeat_count"])
        assert "no heartbeat to battery" in caplog.text
