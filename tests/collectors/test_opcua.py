"""The OPC UA collector against asyncua's own server on loopback."""

import socket
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from asyncua import ua

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.opcua_skew import Skew
from igoudar.core.model import Quality, Reason

from .opcua_rig import AT, START, TURBINE, Rig, reads, session_to
from .rigs import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Rig]:
    async with Rig() as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="module")
async def rig(shared: Rig) -> Rig:
    for name in ("active_power_w", "wind_speed_mps"):
        await shared.show(name, START)
    await shared.nodes["turbine_state"].write_value(2, ua.VariantType.Int32)
    return shared


async def test_values_arrive_scaled_with_their_source_time(rig: Rig) -> None:
    async with session_to(rig) as (_, reader):
        await rig.show("active_power_w", 5e6)
        await reads(reader, "active_power_w", 5e6)
        values, flags, source_at = await reader.read(slow=False)
        assert values["rotor_speed_hz"] == pytest.approx(10 / 60)
        assert values["turbine_state"] == 2
        assert not flags
        assert source_at is not None
        assert source_at >= AT


async def test_quality_follows_the_status(rig: Rig) -> None:
    async with session_to(rig) as (_, reader):
        await reads(reader, "active_power_w", START)
        await rig.show("active_power_w", 1.0, ua.StatusCodes.BadSensorFailure)
        await rig.show("wind_speed_mps", 7.0, ua.StatusCodes.UncertainLastUsableValue)
        await reads(reader, "wind_speed_mps", 7.0)
        values, flags, _ = await reader.read(slow=False)
        assert "active_power_w" not in values
        assert flags["active_power_w"] == (Quality.BAD, Reason.STATUS_CODE)
        assert flags["wind_speed_mps"] == (Quality.UNCERTAIN, Reason.STATUS_CODE)


async def test_lesson_14_a_server_that_is_down_at_start_is_waited_for() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with session_to(Rig(port=port)) as (_, reader):
        with pytest.raises(LinkFault) as caught:
            await reader.read(slow=False)
        assert caught.value.reason is Reason.NO_CONNECTION
        async with Rig(port=port):
            await reads(reader, "active_power_w", START)


async def test_a_write_takes_the_nodes_own_type_and_is_read_back(rig: Rig) -> None:
    async with session_to(rig) as (_, reader):
        await reads(reader, "active_power_w", START)
        for name, value in (("limit_w", 3e6), ("turbine_state", 4.0)):
            assert await reader.write(TURBINE.points[name], value, lambda: None) == value
            assert await reader.ask(TURBINE.points[name]) == value
        assert await rig.nodes["turbine_state"].read_value() == 4


async def test_lesson_21_a_refused_write_is_a_failure_at_once(rig: Rig) -> None:
    async with session_to(rig) as (_, reader):
        await reads(reader, "active_power_w", START)
        await rig.nodes["limit_w"].set_read_only()
        with pytest.raises(LinkFault) as caught:
            await reader.write(TURBINE.points["limit_w"], 3e6, lambda: None)
        assert caught.value.reason is Reason.STATUS_CODE


async def test_lesson_17_a_servers_clock_is_measured(rig: Rig) -> None:
    async with session_to(rig) as (session, reader):
        assert session.skew.seconds is None
        await reads(reader, "active_power_w", START)
        await until(lambda: session.skew.seconds is not None)
        assert abs(session.skew.seconds or 0.0) < 2


async def test_lesson_17_the_least_delayed_message_tells_the_skew() -> None:
    skew = Skew(lambda: AT)
    for late_s in (3.0, 0.5, 9.0):
        skew.published(AT + timedelta(seconds=100 - late_s))
    skew.published(datetime(1601, 1, 1))  # noqa: DTZ001 - as asyncua gives an unset time
    assert skew.seconds == 99.5
