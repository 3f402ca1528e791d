"""The link to cap agents: real agents on loopback over mutual TLS, on the stand-in for NVML."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.peers.cap_agent import NOW, rig

from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Result, Success
from igoudar.control.actuation.cap_client import CapClient, Held
from igoudar.control.actuation.cap_watch import CapWatch
from igoudar.control.actuation.caps import POINT, CapFinding, CapsLink
from igoudar.control.actuation.chronicle import Chronicle
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.picture import Picture
from igoudar.control.records.state import Records
from igoudar.core import handsoff
from igoudar.core.model_caps import CapAgent


def cap(value: float | None = 700.0, command: str = "c1", hours: float = 3.0, **rest: str) -> Command:
    whole = Command(
        command,
        ActuatorClass.CAPS,
        "gpu-node-1",
        POINT,
        NOW,
        NOW + timedelta(hours=hours),
        Origin.EVENT,
        "control",
        "event.cap",
        value=value,
    )
    return replace(whole, **rest)  # type: ignore[arg-type]


async def test_a_cap_is_carried_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        assert await one.link.carry(cap()) == Success(700.0)
        assert one.node.limits_w == [700.0, 700.0]
        assert await one.link.carry(cap()) == Success(700.0)  # the same command id: once
        assert await one.link.watch() == []


@pytest.mark.parametrize(
    ("command", "result"),
    [
        (cap(399.0), OutOfBounds(400.0, 1000.0)),
        (cap(1001.0), OutOfBounds(400.0, 1000.0)),  # never above the standing limit
        (cap(450.0), OutOfBounds(500.0, 1100.0)),  # the agent's own range
        (cap(None), Rejected("not_a_number")),
        (cap(target="gpu-node-9"), Rejected("unknown_device")),
        (cap(point="limit_w"), Rejected("unknown_point")),
        (cap(700.0, point="power_limit_w"), OutOfBounds(800.0, 2000.0)),
        (cap(hours=-1.0), Rejected("expired")),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, result: object
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        assert await one.link.carry(command) == result
        assert one.node.limits_w == [1200.0, 1200.0]


async def test_a_limit_of_the_whole_node_is_shared_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        assert await one.link.carry(cap(1400.0, point="power_limit_w")) == Success(1400.0)
        assert one.node.limits_w == [700.0, 700.0]
        assert await one.link.watch() == []


async def test_caps_go_to_agents_or_to_devices_by_their_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Devices:
        async def carry(self, command: Command) -> Result:
            return Rejected(f"a device: {command.target}")

    async with rig(tmp_path, monkeypatch) as one:
        link = CapsLink(Devices(), one.link)
        assert await link.carry(cap()) == Success(700.0)
        assert await link.carry(cap(target="shelf-a1-01")) == Rejected("a device: shelf-a1-01")
        await link.close()


async def test_what_is_found_is_told_once_and_alarms_until_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        records = Records.open(tmp_path / "records.sqlite")
        watch = CapWatch(one.link, Chronicle(records, "UTC", "v1"), one.clock.now)
        amiss = CapFinding("gpu-node-1", "lost", "GPU-1 reads back 1200 W")
        for findings in ([amiss], [amiss], []):
            watch.note(findings)
        lines = records.actions(limit=10)
        assert [(line.target, line.after, line.result) for line in lines] == [
            ("gpu-node-1", "lost", "failed")
        ]
        watch.note([amiss])
        (signal,) = watch.signals(Picture(NOW), {})
        assert (signal.code, signal.source, signal.condition.active) == ("cap_lost", "gpu-node-1", True)
        watch.note([])
        (signal,) = watch.signals(Picture(NOW), {("cap_lost", "gpu-node-1"): signal.condition})
        assert not signal.condition.active
        assert list(watch.signals(Picture(NOW), {})) == []
        records.close()


async def test_hands_off_and_a_lost_lease_stop_it_just_before_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        handsoff.turn_on(one.link.state, "test", "")
        assert await one.link.carry(cap()) == Rejected("hands_off")
        handsoff.turn_off(one.link.state)
        one.link.held = lambda: False
        assert await one.link.carry(cap()) == Rejected("no_lease")
        assert one.node.limits_w == [1200.0, 1200.0]


async def test_an_older_epoch_is_refused_by_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        one.link.epoch = lambda: 4
        assert await one.link.carry(cap()) == Success(700.0)
        one.link.epoch = lambda: 3
        assert await one.link.carry(cap(800.0, "c2")) == Rejected("stale_epoch")


async def test_gpus_that_refuse_or_pretend_are_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        one.node.change(mode="ignore")
        result = await one.link.carry(cap())
        assert isinstance(result, Error)
        assert "reads back 1200 W" in result.detail
        one.node.change(0, mode="ok")
        one.node.change(1, mode="refuse")
        assert isinstance(await one.link.carry(cap(command="c2")), Partial)
        assert one.link.wanted["gpu-node-1"].limit_w == 700.0


async def test_an_agent_that_does_not_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        one.link.capping = replace(
            one.link.capping, agents=(CapAgent("gpu-node-1", "https://127.0.0.1:1", (), 2),)
        )
        result = await one.link.carry(cap())
        assert isinstance(result, Error)
        assert "does not answer" in result.detail


async def test_a_long_cap_is_renewed_while_control_lives_and_ends_soon_when_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        await one.link.carry(cap())
        agent_of = one.link.capping.agents[0]
        assert (await one.link.client.held(agent_of)).left_s == 600.0
        one.boot.seconds += 400
        one.clock.advance(400)
        assert await one.link.watch() == []
        held = await one.link.client.held(agent_of)
        assert held.left_s == 600.0
        assert set(held.commands.values()) == {"c1~1"}
        one.clock.advance(4 * 3600)  # the command's own end: nothing is renewed any more
        assert await one.link.watch() == []
        assert one.link.wanted == {}


async def test_what_somebody_else_changed_is_put_back_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        await one.link.carry(cap())
        one.node.change(0, limit=1_200_000)
        findings = await one.link.watch()
        assert [(finding.code, finding.detail) for finding in findings] == [
            ("restored", "1 of 2 GPUs hold 1200 W")
        ]
        assert one.node.limits_w == [700.0, 700.0]
        one.node.change(limit=1_200_000, mode="refuse")
        assert [finding.code for finding in await one.link.watch()] == ["lost"]


async def test_a_cap_that_went_out_during_a_look_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as one:
        await one.link.carry(cap())
        ask = CapClient.held

        async def meanwhile(client: CapClient, agent: CapAgent) -> Held:
            held = await ask(client, agent)
            await one.link.carry(cap(600.0, "c2"))
            return held

        with monkeypatch.context() as slow:
            slow.setattr(CapClient, "held", meanwhile)
            assert await one.link.watch() == []
        assert one.link.wanted["gpu-node-1"].command_id == "c2"
        assert await one.link.watch() == []
        assert one.node.limits_w == [600.0, 600.0]
