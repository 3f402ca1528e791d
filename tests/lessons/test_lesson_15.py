"""Lesson 15, OPC UA, clause by clause, against asyncua's own server on loopback.

telegraf#18454, #19186, #15074, #18787, #19609; thingsboard-gateway#2093; milo#1580; opcua-asyncio#116, #2020.
"""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.client.ua_session import UaSession
from asyncua.common.utils import ServiceError
from asyncua.server.internal_session import InternalSession
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.subscription_service import SubscriptionService

from igoudar.collectors.faults import LinkFault
from igoudar.core.model import Quality, Reason
from tests.collectors.opcua_rig import AT, START, TURBINE, Rig, reads, session_to
from tests.collectors.rigs import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Rig]:
    async with Rig(leave_out=("wind_speed_mps",)) as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="module")
async def rig(shared: Rig) -> AsyncIterator[Rig]:
    await shared.show("active_power_w", START)
    yield shared
    await until(lambda: not shared.sessions)


async def test_lesson_15_transport_up_but_subscription_dead_is_found_by_data_age(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silence(*_: object) -> None:
        """The server accepts everything and publishes nothing."""

    async with session_to(rig) as (session, reader):
        await reads(reader, "active_power_w", START)
        assert not session.polled
        with monkeypatch.context() as sick:
            sick.setattr(InternalSubscription, "publish_results", silence)
            await until(lambda: session.polled)
            await rig.show("active_power_w", 11.0)
            await reads(reader, "active_power_w", 11.0)
        await until(lambda: not session.polled and session.fault is None)
        await rig.show("active_power_w", 12.0)
        await reads(reader, "active_power_w", 12.0)
        assert session.sessions == 1


async def test_lesson_15_keep_alives_without_data_do_not_count_as_life(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(self: InternalSubscription, _: object) -> None:
        self._triggered_datachanges = {}

    async with session_to(rig) as (session, reader):
        await reads(reader, "active_power_w", START)
        with monkeypatch.context() as sick:
            sick.setattr(InternalSubscription, "_pop_triggered_datachanges", nothing)
            await until(lambda: session.polled)


async def test_lesson_15_one_invalid_node_does_not_kill_the_rest(rig: Rig) -> None:
    async with session_to(rig) as (session, reader):
        await reads(reader, "active_power_w", START)
        values, flags, _ = await reader.read(slow=False)
        assert flags == {"wind_speed_mps": (Quality.BAD, Reason.MISSING)}
        assert len(values) == len(TURBINE.points) - 1
        assert not session.polled


async def test_lesson_15_one_invalid_node_does_not_kill_the_rest_of_a_batched_read(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        SubscriptionService, "create_subscription", refusal(ua.StatusCodes.BadServiceUnsupported)
    )
    async with session_to(rig) as (session, reader):
        await reads(reader, "active_power_w", START)
        values, flags, _ = await reader.read(slow=False)
        assert flags == {"wind_speed_mps": (Quality.BAD, Reason.MISSING)}
        assert len(values) == len(TURBINE.points) - 1
        assert session.polled


async def test_lesson_15_after_a_restart_node_ids_are_resolved_again() -> None:
    async with Rig() as first, session_to(first) as (session, reader):
        await reads(reader, "active_power_w", START)
        await first.server.stop()
        await until(lambda: session.fault is not None)
        with pytest.raises(LinkFault):
            await reader.read(slow=False)
        async with Rig(port=first.port, shift=3) as again:
            await again.show("active_power_w", 77.0)
            await reads(reader, "active_power_w", 77.0)
            assert session.sessions == 2


async def test_lesson_15_reconnects_never_exceed_the_session_limit(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    allow_one_session(monkeypatch)
    seen = []
    async with session_to(rig, memory=tmp_path / "session.json") as (session, reader):
        for number in range(1, 6):
            await reads(reader, "active_power_w", START)
            seen.append(rig.sessions)
            rig.cut()
            await until(lambda: session.fault is not None)
            seen.append(rig.sessions)
            await until(lambda n=number: session.sessions > n)
        await reads(reader, "active_power_w", START)
        assert max(seen) == 1
        assert rig.sessions == 1
        assert len(rig.subscriptions) == 1


async def test_lesson_15_a_killed_process_leaves_no_session_for_its_successor_to_trip_over(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    allow_one_session(monkeypatch)
    memory = tmp_path / "session.json"
    async with session_to(rig, memory=memory) as (_, reader):
        await reads(reader, "active_power_w", START)
        left = json.loads(memory.read_text())
        assert memory.stat().st_mode & 0o777 == 0o600
        rig.cut()  # as SIGKILL would
        memory.rename(tmp_path / "kept.json")
    left["saved_at"] -= 86_400  # it had run for a day
    (tmp_path / "kept.json").write_text(json.dumps(left))
    assert rig.sessions <= 1
    async with session_to(rig, memory=tmp_path / "kept.json") as (_, reader):
        await reads(reader, "active_power_w", START)
        assert rig.sessions == 1


@pytest.mark.parametrize("told", [2, 0])
async def test_lesson_15_requests_are_chunked_to_the_servers_limits(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, told: int
) -> None:
    sizes: list[int] = []

    def limited(act: Any, size: Any) -> Any:
        async def call(self: Any, params: Any) -> Any:
            sizes.append(size(params))
            if size(params) > max(told, 2) and told == 0:
                raise ServiceError(ua.StatusCodes.BadTooManyOperations)
            return await act(self, params)

        return call

    for number in (11705, 11714):  # MaxNodesPerRead, MaxMonitoredItemsPerCall
        await tell_limit(rig, number, told)
    read, create = InternalSession.read, SubscriptionService.create_monitored_items
    async with session_to(rig) as (_, reader):
        monkeypatch.setattr(InternalSession, "read", limited(read, lambda p: len(p.NodesToRead)))
        monkeypatch.setattr(
            SubscriptionService, "create_monitored_items", limited(create, lambda p: len(p.ItemsToCreate))
        )
        await reads(reader, "active_power_w", START)
        await rig.show("active_power_w", 13.0)
        await reads(reader, "active_power_w", 13.0)
    assert told == 0 or max(sizes[1:]) == 2, sizes  # the first asks for the limits themselves
    for number in (11705, 11714):
        await tell_limit(rig, number, 10_000)


async def test_lesson_15_an_expired_subscription_costs_no_memory(rig: Rig) -> None:
    async with session_to(rig, polling_s=0.05) as (session, reader):
        tasks, kept = [], []
        for _ in range(3):
            await until(lambda: len(rig.subscriptions) == 1 and not session.polled and session.fault is None)
            tasks.append(len(asyncio.all_tasks()))
            kept.append(len(callbacks()))
            expire(rig)
            await until(lambda: session.polled)
            assert not rig.subscriptions
        await reads(reader, "active_power_w", START)
        assert session.sessions == 1
        assert max(tasks[1:]) <= tasks[0]
        assert set(kept) == {1}


@pytest.mark.parametrize("code", ["BadTooManySubscriptions", "BadServiceUnsupported", "BadOutOfMemory"])
async def test_lesson_15_a_refused_subscription_is_polled_instead(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(SubscriptionService, "create_subscription", refusal(getattr(ua.StatusCodes, code)))
    await rig.show("active_power_w", 14.0, ua.StatusCodes.UncertainLastUsableValue)
    async with session_to(rig) as (session, reader):
        await reads(reader, "active_power_w", 14.0)
        assert session.polled
        _, flags, source_at = await reader.read(slow=False)
        assert flags["active_power_w"] == (Quality.UNCERTAIN, Reason.STATUS_CODE)
        assert source_at is not None
        assert source_at >= AT
        monkeypatch.undo()
        await until(lambda: not session.polled and session.fault is None)


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (RuntimeError("surprise"), Reason.MALFORMED),
        (AttributeError("NoneType"), Reason.MALFORMED),
        (TimeoutError(), Reason.TIMEOUT),
        (ConnectionError("gone"), Reason.NO_CONNECTION),
    ],
)
async def test_lesson_15_a_subscribe_that_raises_is_classified(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, raised: Exception, reason: Reason
) -> None:
    async def subscribe(*_: object) -> None:
        raise raised

    monkeypatch.setattr(UaSession, "create_subscription", subscribe)
    async with session_to(rig) as (session, reader):
        with pytest.raises(LinkFault) as caught:
            await reader.read(slow=False)
        assert caught.value.reason is reason
        monkeypatch.undo()
        await reads(reader, "active_power_w", START)
        assert session.fault is None


def allow_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncua counts over all servers of the process, and forgets those of a stopped one only in part."""
    monkeypatch.setattr(InternalSession, "max_connections", 1)
    monkeypatch.setattr(InternalSession, "_current_connections", 0)


def refusal(code: int) -> Any:
    async def refuse(*_: object, **__: object) -> None:
        raise ServiceError(code)

    return refuse


async def tell_limit(rig: Rig, number: int, value: int) -> None:
    node = rig.server.get_node(ua.NodeId(number))
    await node.write_value(ua.DataValue(ua.Variant(value, ua.VariantType.UInt32)))


def expire(rig: Rig) -> None:
    """What the server does when it has waited for publish requests past the subscription's lifetime."""
    for subscription in rig.subscriptions:
        subscription._publish_cycles_count = subscription.data.RevisedLifetimeCount + 1


def callbacks() -> list[Any]:
    """What asyncua's client keeps for subscriptions, all sessions together."""
    gc.collect()
    sessions = [one for one in gc.get_objects() if isinstance(one, UaSession)]
    return [entry for one in sessions for entry in one._subscription_callbacks]
