"""The OPC UA server as an asyncua client sees it."""

import pytest
import pytest_asyncio
from asyncua import Client, ua
from asyncua.ua.uaerrors import BadDeviceFailure, BadOutOfRange

from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.opcua_server import PER_PARENT, OpcUaServer
from tests.simulators.conftest import START, HeldPlant, firmware

TURBINE = {
    "active_power_w": 310_000.0,
    "turbine_state": 3.0,
    "rotor_speed_hz": 0.25,
    "limit_w": 500e3,
    "wind_speed_mps": None,
}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def plant() -> HeldPlant:
    return HeldPlant()


@pytest.fixture(scope="module")
def board() -> FaultBoard:
    return FaultBoard({"wt-1": 0, "plant-1": 0})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(plant: HeldPlant, board: FaultBoard):
    devices = {
        "WT01": firmware("wt-1", "iec61400-25-turbine", plant),
        "COOL": firmware("plant-1", "generic-cooling-plant", plant),
    }
    async with OpcUaServer(devices, lambda: plant.now, board.of) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def server(running: OpcUaServer, plant: HeldPlant, board: FaultBoard) -> OpcUaServer:
    plant.held = {"wt-1": dict(TURBINE), "plant-1": {"supply_c": 29.5}}
    plant.written.clear()
    board.set("wt-1", None)
    await running.refresh()
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def client(server: OpcUaServer):
    async with Client(f"opc.tcp://127.0.0.1:{server.port}/") as peer:
        yield peer


async def node(client: Client, namespace: str, name: str):
    space = await client.get_namespace_index(namespace)
    return client.get_node(f"ns={space};s={name}")


WIND = "urn:igoudar:iec61400-25"


async def test_values_carry_site_time(client: Client) -> None:
    value = await (await node(client, WIND, "WT01.WTUR.W")).read_data_value()
    assert value.Value.Value == 310_000.0
    assert value.SourceTimestamp == START.replace(tzinfo=None) or value.SourceTimestamp == START


async def test_units_and_states_follow_the_profile(client: Client) -> None:
    assert await (await node(client, WIND, "WT01.WROT.RotSpd")).read_value() == pytest.approx(15.0)
    state = await (await node(client, WIND, "WT01.WTUR.TurSt")).read_data_value()
    assert (state.Value.Value, state.Value.VariantType) == (3, ua.VariantType.Int32)
    assert await (await node(client, "urn:igoudar:generic", "COOL.Supply.Temperature")).read_value() == 29.5


async def test_a_missing_value_is_bad_not_zero(client: Client) -> None:
    value = await (await node(client, WIND, "WT01.WMET.HorWdSpd")).read_data_value(raise_on_bad_status=False)
    assert value.StatusCode.name == "BadNoData"


async def test_a_write_reaches_the_device_and_reads_back(client: Client, plant: HeldPlant) -> None:
    limit = await node(client, WIND, "WT01.WTUR.DmdW")
    await limit.write_value(ua.DataValue(ua.Variant(200e3, ua.VariantType.Double)))
    assert plant.written == [("wt-1", "limit_w", 200e3)]
    assert await limit.read_value() == 200e3


async def test_refused_writes_change_nothing(client: Client, plant: HeldPlant) -> None:
    limit = await node(client, WIND, "WT01.WTUR.DmdW")
    with pytest.raises(BadOutOfRange):
        await limit.write_value(ua.DataValue(ua.Variant(-1.0, ua.VariantType.Double)))
    power = await node(client, WIND, "WT01.WTUR.W")
    with pytest.raises(ua.UaStatusCodeError):
        await power.write_value(ua.DataValue(ua.Variant(1.0, ua.VariantType.Double)))
    assert plant.written == []
    assert await limit.read_value() != -1.0


async def test_a_plant_that_refuses_is_a_device_failure(client: Client, plant: HeldPlant) -> None:
    plant.deaf = True
    limit = await node(client, WIND, "WT01.WTUR.DmdW")
    with pytest.raises(BadDeviceFailure):
        await limit.write_value(ua.DataValue(ua.Variant(100e3, ua.VariantType.Double)))
    plant.deaf = False


async def test_a_refresh_follows_the_plant(client: Client, server: OpcUaServer, plant: HeldPlant) -> None:
    plant.held["wt-1"]["active_power_w"] = 42.0
    await server.refresh()
    assert await (await node(client, WIND, "WT01.WTUR.W")).read_value() == 42.0


async def test_a_fault_shows_as_a_status(client: Client, server: OpcUaServer, board: FaultBoard) -> None:
    board.set("wt-1", "dead")
    await server.refresh()
    value = await (await node(client, WIND, "WT01.WTUR.W")).read_data_value(raise_on_bad_status=False)
    assert value.StatusCode.name == "BadCommunicationError"
    other = await node(client, "urn:igoudar:generic", "COOL.Supply.Temperature")
    assert await other.read_value() == 29.5


async def test_no_parent_has_too_many_children(plant: HeldPlant, board: FaultBoard) -> None:
    count = PER_PARENT + 5
    devices = {f"WT{i}": firmware(f"wt-{i}", "iec61400-25-turbine", plant) for i in range(count)}
    async with (
        OpcUaServer(devices, lambda: plant.now, board.of) as server,
        Client(f"opc.tcp://127.0.0.1:{server.port}/") as client,
    ):
        folders = [f for f in await client.nodes.objects.get_children() if f.nodeid.NamespaceIndex > 1]
        sizes = [len(await folder.get_children()) for folder in folders]
        assert sorted(sizes) == [5, PER_PARENT]
