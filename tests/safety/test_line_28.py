"""GPU power caps are verified again after a reboot: they do not survive it, they fail open.

No GPU is here: a small library at NVML's C interface stands in for it (tests/peers/nvml), and forgets its
limits at a "reboot" as a GPU does.
"""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from igoudar.collectors.results import Success
from igoudar.control.actuation.caps import POINT
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.caps_agent.book import NAME
from tests.peers.cap_agent import NOW, Rig, rig


def cap() -> Command:
    return Command(
        "c1",
        ActuatorClass.CAPS,
        "gpu-node-1",
        POINT,
        NOW,
        NOW + timedelta(hours=1),
        Origin.EVENT,
        "control",
        "event.cap",
        value=700.0,
    )


def reboot(one: Rig) -> None:
    """The GPUs forget their limits, the kernel gets another boot id, its clock starts anew."""
    one.node.reboot()
    one.boot.boot_id, one.boot.seconds = "boot-2", 30.0


async def until_capped(one: Rig) -> None:
    async with asyncio.timeout(10):
        while one.node.limits_w != [700.0, 700.0]:
            await asyncio.sleep(0.01)


async def test_line_28_the_agent_puts_the_cap_back_when_it_starts_after_a_boot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        assert await one.link.carry(cap()) == Success(700.0)
        await one.stop()
        reboot(one)
        assert one.node.limits_w == [1200.0, 1200.0]  # failed open
        await one.start()
        await until_capped(one)


async def test_line_28_a_reload_of_the_driver_is_found_by_the_agents_own_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch, verify_s=1.0) as one:
        await one.link.carry(cap())
        one.node.reboot()
        await until_capped(one)


async def test_line_28_control_verifies_after_a_boot_and_caps_a_node_that_forgot_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        await one.link.carry(cap())
        assert await one.link.watch() == []
        await one.stop()
        reboot(one)
        (one.config.state / NAME).unlink()  # a node without a disk: its agent remembers nothing either
        await one.start()
        findings = await one.link.watch()
        assert [finding.code for finding in findings] == ["rebooted", "restored"]
        assert one.node.limits_w == [700.0, 700.0]
        assert await one.link.watch() == []


async def test_line_28_a_cap_that_cannot_be_put_back_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        await one.link.carry(cap())
        await one.link.watch()
        await one.stop()
        reboot(one)
        one.node.change(mode="refuse")
        await one.start()
        assert [finding.code for finding in await one.link.watch()] == ["rebooted", "lost"]
