"""20. Hands-off: one file stops every write, locally, with no identity provider and no control process."""

from pathlib import Path

from igoudar.collectors.results import Partial, Rejected, Success
from igoudar.core import handsoff

from .plant import plant
from .recorder import Telegram


async def test_line_20_nothing_leaves_from_the_next_telegram_on(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        handsoff.turn_on(tmp_path, "asmae", "smoke in hall A")
        for origin in ("plan", "event", "operator", "override", "safety"):
            assert await site.write("limit_pct", 50.0, origin=origin) == Rejected("hands_off")
        assert not site.recorder.written
        assert not site.heart.may_beat(site.stations["battery"])
        handsoff.turn_off(tmp_path)
        assert await site.write("limit_pct", 50.0) == Success(50.0)


async def test_line_20_a_write_on_its_way_stops_where_it_is(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        _, limit = site.place("inverter", "limit_pct")

        async def stop(telegram: Telegram) -> None:
            if telegram.writes and telegram.address == limit:
                (tmp_path / "handsoff").touch()

        site.recorder.before_answer = stop
        assert await site.write("limit_pct", 50.0) == Partial(50.0, "hands_off")
        assert [point for point, _ in site.wrote] == ["limit_revert_s", "limit_pct"]


async def test_line_20_what_stands_is_left_to_its_timer_and_not_touched(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 50.0)
        await site.write("setpoint_c", 25.0, "cdu")
        written = len(site.recorder.written)
        (tmp_path / "handsoff").touch()
        for _ in range(50):
            await site.pass_s(10)
            await site.renewal.round()
        await site.renewal.stop()
        assert len(site.recorder.written) == written


async def test_line_20_it_outlives_a_restart(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        (tmp_path / "handsoff").touch()
        await site.restart()
        await site.ready()
        assert await site.write("limit_pct", 50.0) == Rejected("hands_off")
        assert not site.recorder.written
