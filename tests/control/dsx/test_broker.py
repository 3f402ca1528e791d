"""The site's end of DSX Flex on a real broker: TLS both ways, topic rules, a broker that goes away."""

import asyncio
import gc
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from tests.control.dsx.conftest import Room
from tests.control.dsx.grid import SITE, Grid
from tests.peers.authority import Authority
from tests.peers.mosquitto import Mosquitto, mosquitto

from igoudar.control.dsx import broker as broker_room
from igoudar.control.dsx.broker import Broker
from igoudar.control.dsx.message import target_topic
from igoudar.control.dsx.watch import BrokerWatch
from igoudar.control.picture import Picture
from igoudar.core.errors import ConfigError

WITHIN_S = 20.0


@dataclass
class Street:
    """A broker and the papers of both sides."""

    broker: Mosquitto
    authority: Authority
    folder: Path

    def context(self, name: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.ca))
        context.load_cert_chain(*self.authority.issue(name))
        return context

    @asynccontextmanager
    async def grid(self) -> AsyncIterator[aiomqtt.Client]:
        async with aiomqtt.Client(
            "127.0.0.1", self.broker.port, tls_context=self.context("grid"), identifier="grid"
        ) as client:
            await client.subscribe("grid/v1/isv/#", qos=2)
            yield client


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    authority = Authority(folder)
    with mosquitto(folder, authority, SITE) as broker:
        yield Street(broker, authority, folder)


@asynccontextmanager
async def speaking(
    street: Street, room: Room, writer: Callable[[], bool] = lambda: True, *, connected: bool = True
) -> AsyncIterator[Broker]:
    certificate, key = street.authority.issue("site")
    dsx = replace(
        room.flex.dsx,
        port=street.broker.port,
        ca=str(street.authority.ca),
        certificate=str(certificate),
        key=str(key),
        status_s=1.0,
    )
    room.flex.dsx = dsx
    broker = Broker(dsx, room.flex, writer)
    task = asyncio.create_task(broker.run())
    try:
        await _until(lambda: broker.connected is connected)
        yield broker
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():
            await asyncio.sleep(0.02)


async def _next(client: aiomqtt.Client, leaf: str) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        async for arrived in client.messages:
            if str(arrived.topic).endswith(leaf):
                assert isinstance(arrived.payload, bytes)
                found: dict[str, Any] = json.loads(arrived.payload)
                return found
    raise AssertionError


async def test_a_target_arrives_over_tls_and_is_confirmed(street: Street, room: Room, grid: Grid) -> None:
    async with street.grid() as client, speaking(street, room):
        raw = grid.event()
        await client.publish(target_topic(SITE), raw, qos=1)
        wanted = json.loads(raw)["correlationid"]
        while (await _next(client, "powerstate/status"))["correlationid"] != wanted:
            pass
    assert [asked.limit_w for asked in room.desk.asked] == [28e6]


async def test_the_site_reports_by_itself(street: Street, room: Room) -> None:
    async with street.grid() as client, speaking(street, room):
        first = await _next(client, "powerstate/status")
        second = await _next(client, "powerstate/status")
    assert first["id"] != second["id"]


async def test_only_the_grid_may_set_targets(street: Street, room: Room, grid: Grid) -> None:
    context = street.context("site")
    async with speaking(street, room) as broker:
        async with aiomqtt.Client("127.0.0.1", street.broker.port, tls_context=context) as other:
            await other.publish(target_topic(SITE), grid.event(), qos=1)
        async with street.grid() as client:
            await client.publish(target_topic(SITE), grid.event(), qos=1)
            await _until(lambda: broker.taken > 0)
    assert (broker.taken, len(room.desk.asked)) == (1, 1)


async def test_a_retained_target_is_not_acted_upon(street: Street, room: Room, grid: Grid) -> None:
    async with street.grid() as client:
        await client.publish(target_topic(SITE), grid.event(), qos=1, retain=True)
        async with speaking(street, room) as broker:
            await client.publish(target_topic(SITE), grid.event(), qos=1)
            await _until(lambda: broker.taken > 0)
    assert len(room.desk.asked) == 1


async def test_a_broker_that_goes_away_is_met_again(
    street: Street, room: Room, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_room, "BACKOFF_S", (0.1,))
    async with speaking(street, room) as broker:
        await asyncio.to_thread(street.broker.stop)
        await _until(lambda: not broker.connected)
        await asyncio.to_thread(street.broker.start)
        await _until(lambda: broker.connected)
        async with street.grid() as client:
            await client.publish(target_topic(SITE), grid.event(), qos=1)
            await _until(lambda: broker.taken > 0)
    assert len(room.desk.asked) == 1


@pytest.mark.parametrize("how", ["killed", "taken over", "no certificate", "closed", "no such host"])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_whatever_ends_a_session_with_a_real_broker_is_foreseen(
    street: Street, room: Room, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(broker_room, "TIMEOUT_S", 5.0)
    async with speaking(street, room) as broker:
        pass
    broker.connected = False
    if how == "no certificate":
        broker.dsx = replace(broker.dsx, certificate="", key="")
    if how == "closed":
        await asyncio.to_thread(street.broker.stop)
    if how == "no such host":
        broker.dsx = replace(broker.dsx, host="broker.invalid")
    session = asyncio.create_task(broker._session())
    if how in ("killed", "taken over"):
        await _until(lambda: broker.connected)
    if how == "killed":
        assert street.broker.process is not None
        street.broker.process.kill()
    if how == "taken over":
        async with aiomqtt.Client(
            "127.0.0.1", street.broker.port, tls_context=street.context("site"), identifier=f"igoudar-{SITE}"
        ):
            await asyncio.wait((session,), timeout=WITHIN_S)
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(broker_room.LOST):
            await session
    gc.collect()


CONNACK = b"\x20\x02\x00\x00"
ANSWERS = {
    "nothing": b"",
    "a refusal": b"\x20\x02\x00\x05",
    "no MQTT": b"HTTP/1.1 400 Bad\r\n\r\n",
    "yes, and nothing more": CONNACK,
    "yes, and a message that is cut off": CONNACK + b"\x32\x04\xff\xff\x00\x01",
}


@pytest.mark.parametrize("says", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_what_answers_and_is_no_broker_is_foreseen_as_well(
    room: Room, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(broker_room, "TIMEOUT_S", 0.3)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(says)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(broker_room.LOST):
            await Broker(replace(room.flex.dsx, port=port, tls=False), room.flex)._session()
    gc.collect()


# The MQTT library leaves a socket whose handshake failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_whose_certificate_nobody_vouches_for_is_not_spoken_to(
    street: Street, room: Room, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    dsx = replace(room.flex.dsx, port=street.broker.port, ca=str(Authority(stranger).ca))
    broker = Broker(dsx, room.flex)
    with pytest.raises((aiomqtt.MqttError, OSError), match="certificate verify failed") as refused:
        await broker._session()
    assert not broker.connected
    del refused
    gc.collect()


def test_files_that_are_not_there_are_a_configuration_error(room: Room) -> None:
    with pytest.raises(ConfigError, match="TLS file"):
        broker_room._context(replace(room.flex.dsx, ca="/nowhere/ca.pem"))
    with pytest.raises(ConfigError, match="can't be read"):
        broker_room._secret("/nowhere/password")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 70_000])
def test_a_secret_that_the_protocol_can_t_carry_is_a_configuration_error(
    room: Room, tmp_path: Path, content: bytes
) -> None:
    secret = tmp_path / "password"
    secret.write_bytes(content)
    with pytest.raises(ConfigError, match="the secret alone"):
        Broker(replace(room.flex.dsx, tls=False, password_file=str(secret)), room.flex).check()


async def test_a_file_that_goes_bad_while_we_run_ends_nothing(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(broker_room, "BACKOFF_S", (0.01,))
    dsx = replace(room.flex.dsx, ca=str(tmp_path / "gone.pem"))
    task = asyncio.create_task(Broker(dsx, room.flex).run())
    try:
        await _until(lambda: caplog.text.count("is lost") > 1)
        assert "gone.pem" in caplog.text
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def test_a_target_in_the_second_in_which_the_lease_is_lost_is_taken_by_the_next_writer(
    street: Street, room: Room, grid: Grid, build: Callable[..., Room], caplog: pytest.LogCaptureFixture
) -> None:
    lease, second = [True], build()
    async with speaking(street, room, lambda: lease[0]) as broker, street.grid() as client:
        room.desk.writer = False  # nobody has noticed yet
        await client.publish(target_topic(SITE), grid.event(), qos=1)
        await _until(lambda: not broker.connected)
        lease[0] = False
    assert "left to the one that is" in caplog.text
    assert broker.taken == 0
    async with speaking(street, second) as next_writer:
        await _until(lambda: next_writer.taken == 1)
    assert [asked.limit_w for asked in second.desk.asked] == [28e6]
    assert room.desk.asked == []
    async with (
        speaking(street, second) as again,
        street.grid() as client,
    ):  # what was taken is not brought again
        await client.publish(target_topic(SITE), b"{}", qos=1)
        await _until(lambda: again.taken == 1)
    assert len(second.desk.asked) == 1


async def test_a_session_whose_status_fails_ends_with_its_reason_and_is_opened_again(
    street: Street, room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(broker_room, "BACKOFF_S", (0.1,))
    monkeypatch.setattr(broker_room, "WATCH_S", 0.05)
    answers: list[float | ValueError] = [40e6, ValueError("no such figure")]

    def load_w() -> float:
        answer = answers.pop(0) if answers else 40e6
        if isinstance(answer, ValueError):
            raise answer
        return answer

    monkeypatch.setattr(room.desk, "load_w", load_w)
    async with speaking(street, room) as broker:
        await _until(lambda: "ValueError: no such figure" in caplog.text)
        assert "in load_w" in caplog.text  # nobody has foreseen it: where it came from is told
        await _until(lambda: broker.connected)


async def test_only_the_writer_of_two_hosts_has_a_session(street: Street, room: Room) -> None:
    writer = [False]
    async with speaking(street, room, lambda: writer[0], connected=False) as broker:
        watch = BrokerWatch(broker)
        (signal,) = watch.signals(Picture(room.clock.now()), {})
        assert not signal.condition.active
        assert not broker.connected
        writer[0] = True
        await _until(lambda: broker.connected)
        async with street.grid() as grid:
            writer[0] = False
            await _until(lambda: not broker.connected)
            await grid.publish(target_topic(SITE), b"{}", qos=1)
        assert broker.taken == 0
        writer[0] = True
        await _until(lambda: broker.connected and broker.taken == 1)  # what came meanwhile is still judged
