"""The Modbus TCP server against pymodbus, mbpoll and raw bytes."""

import asyncio
import shutil
import struct

import pytest
from pymodbus.client import AsyncModbusTcpClient

from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.modbus_server import ModbusServer
from tests.simulators.conftest import HeldPlant, modbus_device

METER = {
    "active_power_w": 123_456.0,
    "active_energy_import_wh": 9_876_543_210.0,
    "frequency_hz": 50.0,
    "current_l1_a": 178.5,
}


@pytest.fixture
def board() -> FaultBoard:
    return FaultBoard({"meter-1": 0, "pdu-1": 0})


@pytest.fixture
async def server(plant: HeldPlant, board: FaultBoard):
    plant.held["meter-1"] = dict(METER)
    plant.held["pdu-1"] = {"active_power_w": 60_000.0, "voltage_v": 415.0}
    units = {
        1: modbus_device("meter-1", "schneider-iem3000", plant),
        2: modbus_device("pdu-1", "xerus-pdu", plant),
        3: modbus_device("chiller-1", "carrier-23xrv", plant),
    }
    async with ModbusServer(units, board.of) as running:
        yield running


@pytest.fixture
async def client(server: ModbusServer):
    peer = AsyncModbusTcpClient("127.0.0.1", port=server.port, timeout=0.4, retries=0)
    assert await peer.connect()
    yield peer
    peer.close()


async def exchange(port: int, data: bytes, answers: int = 1) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        got = b""
        async with asyncio.timeout(2):
            for _ in range(answers):
                head = await reader.readexactly(6)
                got += head + await reader.readexactly(int.from_bytes(head[4:6], "big"))
        return got
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_foreign_client_reads_what_the_plant_says(client: AsyncModbusTcpClient) -> None:
    power = await client.read_holding_registers(3059, count=2, device_id=1)
    energy = await client.read_holding_registers(3203, count=4, device_id=1)
    other = await client.read_holding_registers(12306, count=2, device_id=2)
    kinds = client.DATATYPE
    assert client.convert_from_registers(power.registers, kinds.FLOAT32) == pytest.approx(123.456)
    assert client.convert_from_registers(energy.registers, kinds.INT64) == 9_876_543_210
    assert client.convert_from_registers(other.registers, kinds.FLOAT32) == 60_000.0


async def test_a_missing_value_reads_as_not_a_number(client: AsyncModbusTcpClient, plant: HeldPlant) -> None:
    plant.held["meter-1"]["active_power_w"] = None
    plant.advance(1)
    read = await client.read_holding_registers(3059, count=2, device_id=1)
    value = client.convert_from_registers(read.registers, client.DATATYPE.FLOAT32)
    assert value != value


@pytest.mark.parametrize(
    ("unit", "function", "address", "count", "code"),
    [
        (1, "read_holding_registers", 1, 2, 2),
        (1, "read_input_registers", 3059, 2, 2),
        (1, "read_coils", 0, 1, 1),
        (99, "read_holding_registers", 3059, 2, 0x0B),
    ],
)
async def test_refusals_carry_the_standard_codes(
    client: AsyncModbusTcpClient, unit: int, function: str, address: int, count: int, code: int
) -> None:
    result = await getattr(client, function)(address, count=count, device_id=unit)
    assert result.isError()
    assert result.exception_code == code


@pytest.mark.parametrize("count", [0, 126, 0xFFFF])
async def test_a_wrong_quantity_is_an_illegal_value(server: ModbusServer, count: int) -> None:
    request = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 3059, count)
    assert await exchange(server.port, request) == struct.pack(">HHHBBB", 7, 0, 3, 1, 0x83, 3)


async def test_writes_reach_the_device_and_read_back(client: AsyncModbusTcpClient, plant: HeldPlant) -> None:
    assert not (await client.write_register(50, 80, device_id=3)).isError()
    setpoint = client.convert_to_registers(12.5, client.DATATYPE.FLOAT32)
    assert not (await client.write_registers(48, setpoint, device_id=3)).isError()
    assert plant.written == [("chiller-1", "demand_limit_pct", 80.0), ("chiller-1", "setpoint_c", 12.5)]
    read = await client.read_holding_registers(48, count=3, device_id=3)
    assert read.registers == [*setpoint, 80]


@pytest.mark.parametrize(
    ("address", "values", "code"),
    [(50, [101], 3), (50, [5], 3), (48, [0], 2), (40, [7], 2), (51, [1], 2), (50, [50, 1], 2)],
)
async def test_a_refused_write_changes_nothing(
    client: AsyncModbusTcpClient, plant: HeldPlant, address: int, values: list[int], code: int
) -> None:
    result = await client.write_registers(address, values, device_id=3)
    assert result.exception_code == code
    assert plant.written == []


async def test_a_plant_that_refuses_is_a_device_failure(
    client: AsyncModbusTcpClient, plant: HeldPlant
) -> None:
    plant.deaf = True
    assert (await client.write_register(50, 80, device_id=3)).exception_code == 4
    assert not (await client.read_holding_registers(50, count=1, device_id=3)).isError()


async def test_pipelined_requests_are_answered_in_order(server: ModbusServer) -> None:
    requests = b"".join(struct.pack(">HHHBBHH", n, 0, 6, 1, 3, 3059, 2) for n in range(1, 6))
    answers = await exchange(server.port, requests, 5)
    size = len(answers) // 5
    assert [int.from_bytes(answers[i * size : i * size + 2], "big") for i in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("head", [struct.pack(">HHH", 1, 1, 6), struct.pack(">HHH", 1, 0, 255)])
async def test_a_stream_out_of_step_is_cut(server: ModbusServer, head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head + bytes(300))
    async with asyncio.timeout(2):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
    writer.close()


async def test_registers_are_computed_once_per_step_and_only_when_read(
    client: AsyncModbusTcpClient, plant: HeldPlant
) -> None:
    assert plant.asked == 0
    for _ in range(3):
        await client.read_holding_registers(3059, count=2, device_id=1)
    assert plant.asked == 1
    plant.advance(1)
    await client.read_holding_registers(3059, count=2, device_id=1)
    assert plant.asked == 2


async def test_a_dead_device_costs_only_itself(
    client: AsyncModbusTcpClient, server: ModbusServer, board: FaultBoard
) -> None:
    board.set("meter-1", "dead")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 3059, 2))
    assert not (await client.read_holding_registers(12306, count=2, device_id=2)).isError()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(1)
    writer.close()


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("busy", struct.pack(">HHHBBB", 5, 0, 3, 1, 0x83, 6)),
        ("garbage", struct.pack(">HHHBBB", 5, 0, 5, 1, 3, 250) + b"\xde\xad"),
    ],
)
async def test_faults_show_on_the_wire(
    server: ModbusServer, board: FaultBoard, fault: str, wanted: bytes
) -> None:
    board.set("meter-1", fault)
    assert await exchange(server.port, struct.pack(">HHHBBHH", 5, 0, 6, 1, 3, 3059, 2)) == wanted


async def test_a_wrong_unit_answers_under_another_number(server: ModbusServer, board: FaultBoard) -> None:
    board.set("meter-1", "wrong_unit")
    assert (await exchange(server.port, struct.pack(">HHHBBHH", 5, 0, 6, 1, 3, 3059, 2)))[6] == 2


@pytest.mark.parametrize("fault", ["slow:0.1", "late:0.1"])
async def test_a_slow_device_answers_after_its_delay(
    server: ModbusServer, board: FaultBoard, fault: str
) -> None:
    board.set("meter-1", fault)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert len(await exchange(server.port, struct.pack(">HHHBBHH", 5, 0, 6, 1, 3, 3059, 2))) == 13
    assert loop.time() - began >= 0.09


@pytest.mark.peer("mbpoll")
@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="needs mbpoll")
async def test_mbpoll_reads_and_writes(server: ModbusServer, plant: HeldPlant) -> None:
    read = await mbpoll(server.port, "-a", "1", "-r", "3059", "-t", "4:float", "-B", "-c", "1")
    assert "123.456" in read
    await mbpoll(server.port, "-a", "3", "-r", "50", "-t", "4", values=("66",))
    assert plant.written == [("chiller-1", "demand_limit_pct", 66.0)]


async def mbpoll(port: int, *arguments: str, values: tuple[str, ...] = ()) -> str:
    command = ["mbpoll", "-m", "tcp", "-p", str(port), "-0", "-1", "-q", *arguments, "127.0.0.1", *values]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(10):
        output, _ = await process.communicate()
    assert process.returncode == 0, output
    return output.decode()
