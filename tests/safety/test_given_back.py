"""What stays as written is known as ours, whatever the device made of it, until it has been given back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from igoudar.collectors.holds import Held
from igoudar.collectors.results import Error, Success
from igoudar.core.model_writes import Remote

from .plant import CDU, Plant, plant, with_rules
from .recorder import Telegram

QUICK = with_rules(CDU, "setpoint_c", verify_s=0.1, every_s=0.0)
SWITCHED = replace(CDU, remote=Remote(local="leak_state", local_value=1.0))  # any point will do as a switch


def whole_degrees(site: Plant) -> None:
    """The CDU rounds what it was given."""

    async def round_it(telegram: Telegram) -> None:
        unit, address = site.place("cdu", "setpoint_c")
        if telegram.unit == unit and not telegram.writes and site.recorder.written:
            words = site.recorder.units[unit]
            words[address] = 10 * round(words[address] / 10)

    site.recorder.before_answer = round_it


async def ended(site: Plant) -> None:
    """The setpoint's time is over, and it is looked after."""
    await site.pass_s(400)
    await site.renewal.round()


async def test_a_value_that_the_device_rounds_is_given_back(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=QUICK) as site:
        await site.ready()
        whole_degrees(site)
        result = await site.write("setpoint_c", 25.4, "cdu")
        assert result == Error("setpoint_c reads back as 25 instead of 25.4")
        assert isinstance(result, Error)
        assert result.held == 25.0
        await ended(site)
        assert site.held("cdu", "setpoint_c") == 30.0
        assert len(site.actuator.holds) == 0


async def test_a_rounded_value_is_given_back_after_a_kill_as_well(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=QUICK) as site:
        await site.ready()
        whole_degrees(site)
        await site.write("setpoint_c", 25.4, "cdu")
        await site.restart()
        await site.ready()
        await ended(site)
        assert site.held("cdu", "setpoint_c") == 30.0


async def test_what_stood_before_a_rounded_value_is_what_is_given_back(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=QUICK) as site:
        await site.ready()
        whole_degrees(site)
        await site.write("setpoint_c", 25.4, "cdu")
        await site.pass_s(30)
        assert await site.write("setpoint_c", 27.0, "cdu") == Success(27.0)
        await ended(site)
        assert site.held("cdu", "setpoint_c") == 30.0


async def test_what_follows_its_setpoint_slowly_is_given_back_where_it_arrived(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=QUICK) as site:
        await site.ready()
        site.recorder.before_answer = _on_its_way(site)
        assert isinstance(await site.write("setpoint_c", 25.0, "cdu"), Error)
        site.recorder.before_answer = _still
        site.show("cdu", "setpoint_c", 25.0)
        await ended(site)
        assert site.held("cdu", "setpoint_c") == 30.0


async def test_what_a_person_set_after_a_failed_write_is_theirs(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=QUICK) as site:
        await site.ready()
        whole_degrees(site)
        await site.write("setpoint_c", 25.4, "cdu")
        site.show("cdu", "setpoint_c", 22.0)
        await ended(site)
        assert site.held("cdu", "setpoint_c") == 22.0


@pytest.mark.parametrize("arrived", [False, True])
async def test_a_kill_between_note_and_telegram_leaves_both_values_known(
    tmp_path: Path, *, arrived: bool
) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("setpoint_c", 25.0, "cdu") == Success(25.0)
        await site.pass_s(120)
        await _killed_after_the_note(site)
        if arrived:
            site.show("cdu", "setpoint_c", 27.0)
        await site.restart()
        await site.ready()
        await ended(site)
        assert site.held("cdu", "setpoint_c") == 30.0


async def test_once_the_new_value_is_seen_the_old_one_is_nobodys(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("setpoint_c", 25.0, "cdu")
        await site.pass_s(120)
        assert await site.write("setpoint_c", 27.0, "cdu") == Success(27.0)
        site.show("cdu", "setpoint_c", 25.0)  # a person
        await site.restart()
        await site.ready()
        await ended(site)
        assert site.held("cdu", "setpoint_c") == 25.0


async def test_what_has_no_timer_waits_for_the_switch_to_be_given_back(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=SWITCHED) as site:
        await site.ready()
        assert await site.write("setpoint_c", 25.0, "cdu") == Success(25.0)
        site.show("cdu", "leak_state", 1.0)
        for _ in range(10):
            await ended(site)
        assert site.held("cdu", "setpoint_c") == 25.0
        site.show("cdu", "leak_state", 0.0)
        await ended(site)
        assert site.held("cdu", "setpoint_c") == 30.0
        assert len(site.actuator.holds) == 0


def _on_its_way(site: Plant) -> Callable[[Telegram], Awaitable[None]]:
    async def between(telegram: Telegram) -> None:
        if not telegram.writes and site.recorder.written:
            site.show("cdu", "setpoint_c", 28.0)

    return between


async def _still(telegram: Telegram) -> None:
    del telegram


async def _killed_after_the_note(site: Plant) -> None:
    announce = site.actuator.holds.announce

    async def killed(held: Held) -> bool:
        await announce(held)
        raise asyncio.CancelledError

    site.actuator.holds.announce = killed  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await site.write("setpoint_c", 27.0, "cdu")
