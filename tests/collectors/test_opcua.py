"""The OPC UA collector against asyncua's own server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.server import Server

from igoudar.collectors.faults import Backoff, LinkFault
from igoudar.collectors.opcua import OpcUaReader, OpcUaSession
from igoudar.collectors.opcua_door import Door
from igoudar.collectors.opcua_line import Item
from igoudar.collectors.profiles import load_profiles
from igoudar.core.model import OpcUaAddress, Quality, Reason

from .rigs import until

TURBINE = load_profiles()["iec61400-25-turbine"]
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Rig:
    """A server with one turbine; `leave_out` nodes are not there."""

    def __init__(self, port: int = 0, leave_out: tuple[str, ...] = (), shift: int = 0) -> None:
        self.port, self.leave_out, self.shift = port, leave_out, shift
        self.nodes: dict[str, Any] = {}
        self.server = Server()

    async def __aenter__(self) -> "Rig":
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        for number in range(self.shift):
            await self.server.register_namespace(f"urn:other:{number}")
        index = await self.server.register_namespace(TURBINE.namespace)
        for point in TURBINE.points.values():
            assert isinstance(point.address, OpcUaAddress)
            if point.name not in self.leave_out:
                await self.add(index, point.name, point.address.path)
        await self.server.start()
        assert self.server.bserver is not None
        self.port = self.server.bserver.port
        return self

    async def add(self, index: int, name: str, path: str) -> None:
        whole = name.endswith("_state")
        kind = ua.VariantType.Int32 if whole else ua.VariantType.Double
        node_id = ua.NodeId(f"t1.{path}", index)
        self.nodes[name] = await self.server.nodes.objects.add_variable(
            node_id, path, 2 if whole else 10.0, kind
        )
        await self.nodes[name].set_writable()

    async def show(self, name: str, value: float, code: int = ua.StatusCodes.Good) -> None:
        await self.nodes[name].write_value(
            ua.DataValue(ua.Variant(value, ua.VariantType.Double), ua.StatusCode(code), SourceTimestamp=AT)
        )

    async def __aexit__(self, *exc: object) -> None:
        await self.server.stop()


@asynccontextmanager
async def session_to(rig: Rig) -> AsyncIterator[tuple[OpcUaSession, OpcUaReader]]:
    items = [Item("t1", point, TURBINE.namespace) for point in TURBINE.points.values()]
    door = Door(f"opc.tcp://127.0.0.1:{rig.port}")
    session = OpcUaSession(door, items, 0.1, Backoff(0.05, 0.2), Backoff(0.3, 0.3))
    task = asyncio.create_task(session.run())
    try:
        yield session, OpcUaReader(TURBINE, session, "t1")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reads(reader: OpcUaReader, name: str, value: float) -> None:
    """Wait until the reader shows `value`."""
    async with asyncio.timeout(10):
        while True:
            try:
                if (await reader.read(slow=False)).values.get(name) == value:
                    return
            except LinkFault:
                pass
            await asyncio.sleep(0.02)


async def test_values_arrive_scaled_with_their_source_time() -> None:
    async with Rig() as rig, session_to(rig) as (_, reader):
        await rig.show("active_power_w", 5e6)
        await reads(reader, "active_power_w", 5e6)
        values, flags, source_at = await reader.read(slow=False)
        assert values["rotor_speed_hz"] == pytest.approx(10 / 60)
        assert values["turbine_state"] == 2
        assert not flags
        assert source_at is not None
        assert source_at >= AT


async def test_quality_follows_the_status() -> None:
    async with Rig() as rig, session_to(rig) as (_, reader):
        await reads(reader, "active_power_w", 10.0)
        await rig.show("active_power_w", 1.0, ua.StatusCodes.BadSensorFailure)
        await rig.show("wind_speed_mps", 7.0, ua.StatusCodes.UncertainLastUsableValue)
        await reads(reader, "wind_speed_mps", 7.0)
        values, flags, _ = await reader.read(slow=False)
        assert "active_power_w" not in values
        assert flags["active_power_w"] == (Quality.BAD, Reason.STATUS_CODE)
        assert flags["wind_speed_mps"] == (Quality.UNCERTAIN, Reason.STATUS_CODE)


async def test_15_one_invalid_node_does_not_kill_the_rest() -> None:
    async with Rig(leave_out=("wind_speed_mps",)) as rig, session_to(rig) as (_, reader):
        await reads(reader, "active_power_w", 10.0)
        values, flags, _ = await reader.read(slow=False)
        assert flags == {"wind_speed_mps": (Quality.BAD, Reason.MISSING)}
        assert len(values) == len(TURBINE.points) - 1


async def test_15_a_restarted_server_is_found_again_though_its_indices_moved() -> None:
    async with Rig() as rig, session_to(rig) as (session, reader):
        await reads(reader, "active_power_w", 10.0)
        await rig.server.stop()
        await until(lambda: session.fault is not None)
        with pytest.raises(LinkFault):
            await reader.read(slow=False)
        async with Rig(port=rig.port, shift=3) as again:
            await again.show("active_power_w", 77.0)
            await reads(reader, "active_power_w", 77.0)
            assert session.sessions == 2


async def test_14_a_server_that_is_down_at_start_is_waited_for() -> None:
    async with Rig() as first:
        port = first.port
    async with session_to(first) as (_, reader):
        with pytest.raises(LinkFault) as caught:
            await reader.read(slow=False)
        assert caught.value.reason is Reason.NO_CONNECTION
        async with Rig(port=port):
            await reads(reader, "active_power_w", 10.0)


async def test_15_a_dead_subscription_on_a_living_transport_is_found_by_its_age(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silence(*_: object) -> None:
        """The server accepts everything and publishes nothing."""

    async with Rig() as rig, session_to(rig) as (session, reader):
        await reads(reader, "active_power_w", 10.0)
        with monkeypatch.context() as sick:
            sick.setattr(InternalSubscription, "publish_results", silence)
            await until(lambda: session.fault is not None)
            assert session.fault is not None
            assert session.fault.reason is Reason.STALE
        await reads(reader, "active_power_w", 10.0)


async def test_a_write_takes_the_nodes_own_type_and_is_read_back() -> None:
    async with Rig() as rig, session_to(rig) as (_, reader):
        await reads(reader, "active_power_w", 10.0)
        assert await reader.write(TURBINE.points["limit_w"], 3e6) == 3e6
        assert await reader.write(TURBINE.points["turbine_state"], 4.0) == 4.0
        assert await rig.nodes["turbine_state"].read_value() == 4


async def test_21_a_refused_write_is_a_failure_at_once() -> None:
    async with Rig() as rig, session_to(rig) as (_, reader):
        await reads(reader, "active_power_w", 10.0)
        await rig.nodes["limit_w"].set_read_only()
        with pytest.raises(LinkFault) as caught:
            await reader.write(TURBINE.points["limit_w"], 3e6)
        assert caught.value.reason is Reason.STATUS_CODE
