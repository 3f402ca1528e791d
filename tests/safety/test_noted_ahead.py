"""What no timer takes back is noted on disk before it is written."""

import json
from pathlib import Path

import pytest

from igoudar.collectors import holds
from igoudar.collectors.results import Rejected, Success

from .plant import plant
from .recorder import Telegram


def noted(state: Path) -> list[tuple[float, float]]:
    """Value and value before of each setpoint on disk."""
    return [(value, before) for _, value, before, _ in json.loads((state / holds.HOLDS_FILE).read_text())]


async def test_a_setpoint_that_stays_is_on_disk_before_it_is_on_the_wire(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        seen: list[list[tuple[float, float]]] = []

        async def look(telegram: Telegram) -> None:
            if telegram.writes:
                seen.append(noted(tmp_path))

        site.recorder.before_answer = look
        assert await site.write("setpoint_c", 25.0, "cdu") == Success(25.0)
        assert seen == [[(25.0, 30.0)]]


async def test_what_can_not_be_noted_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    async with plant(tmp_path) as site:
        await site.ready()
        monkeypatch.setattr(holds, "write_durably", full)
        assert await site.write("setpoint_c", 25.0, "cdu") == Rejected("unrecorded")
        assert not site.recorder.written
        assert len(site.actuator.holds) == 0
        assert await site.write("limit_pct", 50.0) == Success(50.0)  # its timer takes it back


async def test_what_is_withheld_leaves_what_was_noted_before(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("setpoint_c", 25.0, "cdu") == Success(25.0)
        announce = site.actuator.holds.announce

        async def stopped(held: holds.Held) -> bool:
            done = await announce(held)
            (tmp_path / "handsoff").touch()
            return done

        site.actuator.holds.announce = stopped  # type: ignore[method-assign]
        await site.pass_s(120)
        assert await site.write("setpoint_c", 27.0, "cdu") == Rejected("hands_off")
        assert noted(tmp_path) == [(25.0, 30.0)]
