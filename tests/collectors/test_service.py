"""The whole collector: real servers below it, its socket above it, a real store beside it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from igoudar.collectors import service, wire
from igoudar.collectors.authority import Authority
from igoudar.collectors.client import CollectClient
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Success
from igoudar.core import handsoff
from igoudar.core.clock import ManualClock
from igoudar.core.errors import ConfigError, LinkError
from igoudar.core.model import Device, Reason, Setpoint, Site
from igoudar.core.model_writes import WriteRules
from igoudar.core.store.parquet import ParquetStore

from .hostile import Asked, hostile
from .rigs import START, device, image, pymodbus_server

PROFILES = load_profiles()
METER, INVERTER, COOLER = (
    PROFILES[name] for name in ("schneider-iem3000", "sunspec-inverter", "generic-dry-cooler")
)
CLOCK_SPEED = 10.0  # shortens the polls to their floor of one second


def site(*devices: Device) -> Site:
    return Site("s", "S", 0.0, 0.0, 0.0, "UTC", (), (), (), devices, writes=WriteRules(settle_s=0))


DEVICES = site(
    device("meter", METER),
    device("inverter", INVERTER, allow=frozenset({"limit_pct"})),
)
UNITS: Mapping[int, Mapping[int, int]] = {
    1: image(METER, {"active_power_w": 5000.0, "frequency_hz": 50.0, "active_energy_import_wh": 42.0}),
    2: image(
        INVERTER,
        {"active_power_w": 250.0, "frequency_hz": 50.0, "limit_pct": 100.0, "limit_revert_s": 0.0},
    ),
}


def next_epoch(folder: Path) -> int:
    """As a new control process would have it."""
    file = folder / "epoch"
    return 1 + (int(file.read_text()) if file.exists() else 0)


def addresses(port: int) -> dict[str, str]:
    return {"meter": f"modbus-tcp://127.0.0.1:{port}/1", "inverter": f"modbus-tcp://127.0.0.1:{port}/2"}


@asynccontextmanager
async def collecting(
    folder: Path, endpoints: Mapping[str, str], plan: Site = DEVICES
) -> AsyncIterator[tuple[CollectClient, ManualClock]]:
    """A collector at work on a real store, and a client of it."""
    clock, ready = ManualClock(START, CLOCK_SPEED), asyncio.Event()
    store = ParquetStore.open(folder / "store")
    work = service.run(plan, PROFILES, endpoints, clock, store, folder, ready=ready.set)
    task = asyncio.create_task(work)
    try:
        await asyncio.wait_for(ready.wait(), 10)
        async with CollectClient(folder / "collect.sock") as client:
            await client.authority(Authority(next_epoch(folder), "test", 60.0, {"curtailment": "auto"}))
            yield client, clock
    finally:
        task.cancel()
        await asyncio.wait((task,))
        store.close()
        assert task.cancelled()


async def answering(client: CollectClient, count: int) -> None:
    async with asyncio.timeout(10):
        while (await client.metrics())["collector_devices_answering"] < count:
            await asyncio.sleep(0.02)


def limit(value: float = 50.0, **rest: object) -> Setpoint:
    fields = {"device": "inverter", "point": "limit_pct", "expires_at": START + timedelta(minutes=5)}
    return Setpoint(**(fields | {"value": value, "command_id": "c1"} | rest))  # type: ignore[arg-type]


async def test_readings_reach_the_snapshot_the_subscriber_and_the_store(tmp_path: Path) -> None:
    async with pymodbus_server(UNITS) as port, collecting(tmp_path, addresses(port)) as (client, _):
        await answering(client, 2)
        snapshot = await client.snapshot()
        assert snapshot.value("meter", "active_power_w") == 5000.0
        assert snapshot.value("inverter", "active_power_w") == 250.0
        assert snapshot.at == START
        assert snapshot.readings["inverter"].flags["dc_power_w"][1] is Reason.SENTINEL
        async for batch in client.subscribe():
            assert {reading.device for reading in batch} <= {"meter", "inverter"}
            break
        metrics = await client.metrics()
    with ParquetReaderOf(tmp_path) as latest:
        assert latest["meter"].values["active_energy_import_wh"] == 42.0
        assert set(latest) == {"meter", "inverter"}
    assert metrics["collector_gaps_total"] == 0
    assert metrics["collector_points_total"] >= metrics["collector_readings_total"]


class ParquetReaderOf:
    """The newest stored readings, read after the collector has gone."""

    def __init__(self, folder: Path) -> None:
        self.store = ParquetStore.open(folder / "store")

    def __enter__(self) -> Mapping[str, object]:
        return self.store.latest()

    def __exit__(self, *exc: object) -> None:
        self.store.close()


async def test_a_guarded_write_acts_and_sets_timer_and_enable(tmp_path: Path) -> None:
    async with pymodbus_server(UNITS) as port, collecting(tmp_path, addresses(port)) as (client, _):
        await answering(client, 2)
        assert await client.write(limit(60.0)) == Success(60.0)
        async with asyncio.timeout(10):
            while (await client.snapshot()).value("inverter", "limit_pct") != 60.0:
                await asyncio.sleep(0.02)
        values = (await client.snapshot()).readings["inverter"].values
        assert (values["limit_revert_s"], values["limit_enabled_state"]) == (60.0, 1.0)
        metrics = await client.metrics()
        assert metrics['collector_writes_total{result="success"}'] == 1
        assert metrics["collector_setpoints_held"] == 1


async def test_21_what_may_not_be_written_never_reaches_the_wire(tmp_path: Path) -> None:
    async with pymodbus_server(UNITS) as port, collecting(tmp_path, addresses(port)) as (client, clock):
        await answering(client, 2)
        assert await client.write(limit(100.5)) == OutOfBounds(0, 100)
        assert await client.write(limit(float("nan"))) == Rejected("not_a_number")
        assert await client.write(limit(device="other")) == Rejected("unknown_device")
        assert await client.write(limit(point="nothing_w")) == Rejected("unknown_point")
        assert await client.write(limit(point="active_power_w")) == Rejected("read_only")
        assert await client.write(limit(point="limit_revert_s")) == Rejected("not_allowed")
        assert await client.write(limit(expires_at=START)) == Rejected("expired")
        assert (await client.snapshot()).value("inverter", "limit_pct") == 100.0
        clock.advance(200)
        assert await client.write(limit()) == Rejected("no_telemetry")
        assert (await client.snapshot()).value("inverter", "limit_pct") is None
        assert (await client.metrics())['collector_writes_rejected_total{reason="expired"}'] == 1


async def test_a_control_process_that_was_taken_over_is_told_so(tmp_path: Path) -> None:
    async with pymodbus_server(UNITS) as port, collecting(tmp_path, addresses(port)) as (client, _):
        await client.authority(Authority(9, "successor", 60.0, {"curtailment": "auto"}, cycle=1))
        with pytest.raises(LinkError, match="taken over by epoch 9"):
            await client.authority(Authority(8, "first", 60.0, {"curtailment": "auto"}, cycle=99))
        await answering(client, 2)
        assert await client.write(limit(50.0, epoch=8)) == Rejected("stale_epoch")
        assert await client.write(limit(50.0, epoch=9)) == Success(50.0)


async def test_hands_off_works_over_the_socket_too(tmp_path: Path) -> None:
    async with pymodbus_server(UNITS) as port, collecting(tmp_path, addresses(port)) as (client, _):
        await answering(client, 2)
        await client.hands_off("asmae", "smoke")
        assert await client.write(limit(50.0)) == Rejected("hands_off")
        assert (await client.metrics())["collector_hands_off"] == 1
        assert handsoff.read(tmp_path) is not None
        await client.hands_off("asmae", "only dust", on=False)
        assert await client.write(limit(50.0)) == Success(50.0)


async def test_6_a_dead_device_costs_only_itself(tmp_path: Path) -> None:
    async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
        del asked, writer

    async with pymodbus_server(UNITS) as port, hostile(silent) as dead:
        places = addresses(port) | {"inverter": f"modbus-tcp://127.0.0.1:{dead.port}/2"}
        async with collecting(tmp_path, places) as (client, _):
            await answering(client, 1)
            async with asyncio.timeout(15):
                while "inverter" not in (await client.snapshot()).readings:
                    await asyncio.sleep(0.02)
            gap = (await client.snapshot()).readings["inverter"].gap
            assert gap is not None
            assert gap.reason is Reason.TIMEOUT
            assert (await client.snapshot()).value("meter", "active_power_w") == 5000.0


async def test_21_a_write_to_a_device_that_is_gone_never_looks_successful(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(pymodbus_server(UNITS))
        client, _ = await stack.enter_async_context(collecting(tmp_path, addresses(port)))
        await answering(client, 2)
        async with pymodbus_server({1: UNITS[1]}) as other:
            moved = {"schema": 1, "run_id": "b", "devices": addresses(other)}
            (tmp_path / "endpoints.json").write_text(json.dumps(moved))
            ids = (f"c{number}" for number in count(2))
            async with asyncio.timeout(10):
                while (await client.metrics())["collector_devices_answering"] > 1:
                    result = await client.write(limit(40.0, command_id=next(ids)))
                    assert isinstance(result, Success | Partial | Error | Rejected)
            assert isinstance(await client.write(limit(40.0, command_id=next(ids))), Error | Rejected)


async def test_devices_that_move_are_followed(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    async with pymodbus_server(UNITS) as first, pymodbus_server(UNITS) as second:
        nowhere = dict.fromkeys(("meter", "inverter"), "modbus-tcp://127.0.0.1:1/1")
        file.write_text(json.dumps({"schema": 1, "run_id": "a", "devices": nowhere}))
        async with collecting(tmp_path, nowhere) as (client, _):
            file.write_text(json.dumps({"schema": 1, "run_id": "b", "devices": addresses(first)}))
            await answering(client, 2)
            file.write_text("{ half a fi")
            file.write_text(json.dumps({"schema": 1, "run_id": "c", "devices": addresses(second)}))
            await asyncio.wait_for(_connected(client, 2), 10)


async def _connected(client: CollectClient, count: int) -> None:
    while (await client.metrics())["collector_devices_answering"] < count:
        await asyncio.sleep(0.02)


async def test_the_socket_survives_nonsense(tmp_path: Path) -> None:
    async with pymodbus_server(UNITS) as port, collecting(tmp_path, addresses(port)) as (client, _):
        for nonsense in (b"\0\0\0\1\xc1", b"\xff\xff\xff\xff", wire.pack({})[:-1], b"GET / HTTP/1.1\r\n\r\n"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "collect.sock")
            writer.write(nonsense)
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        reader, writer = await asyncio.open_unix_connection(tmp_path / "collect.sock")
        writer.write(wire.pack({"id": 1, "op": "explode"}) + wire.pack({"id": 2, "op": "write"}))
        for number in (1, 2):
            answer = await asyncio.wait_for(wire.receive(reader), 5)
            assert answer is not None
            assert (answer["id"], answer["ok"]) == (number, False)
        writer.close()
        await client.ping()


async def test_a_client_without_a_collector_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="igoudar collect"):
        async with CollectClient(tmp_path / "collect.sock"):
            pass


async def test_a_client_outlives_a_restart_of_the_collector(tmp_path: Path) -> None:
    async with pymodbus_server(UNITS) as port:
        async with collecting(tmp_path, addresses(port)) as (client, _):
            await client.ping()
            survivor = CollectClient(tmp_path / "collect.sock")
            await survivor.__aenter__()
        with pytest.raises(LinkError):
            await survivor.ping()
        async with collecting(tmp_path, addresses(port)):
            await survivor.ping()
        await survivor.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "no address"),
        ("modbus-tcp://127.0.0.1:99999/1", "no address"),
        ("http://127.0.0.1:80/metrics", "does not fit"),
        ("modbus-tcp://127.0.0.1:502/300", "unit"),
    ],
)
async def test_a_wrong_address_is_named_with_its_device(tmp_path: Path, address: str, words: str) -> None:
    with pytest.raises(ConfigError, match="meter") as caught:
        await _run(tmp_path, {"meter": address})
    assert words in str(caught.value)


async def test_a_path_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    with pytest.raises(ConfigError, match="shorter"):
        await _run(folder, {})


async def _run(folder: Path, endpoints: Mapping[str, str]) -> None:
    store = ParquetStore.open(folder / "store")
    try:
        only = site(device("meter", METER))
        await service.run(only, PROFILES, endpoints, ManualClock(START), store, folder)
    finally:
        store.close()
