"""The way to the broker: kept open, opened again when it is lost, quiet about its secrets."""

import asyncio
import logging
import ssl
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import aiomqtt

from igoudar.control.dsx.flex import Flex
from igoudar.control.dsx.message import target_topic
from igoudar.control.dsx.outgoing import AT_LEAST_ONCE, Outgoing
from igoudar.control.lease import NotWriterError
from igoudar.core.errors import ConfigError, IgoudarError
from igoudar.core.model import TlsFiles
from igoudar.core.model_dsx import Dsx
from igoudar.core.tls import client_context

LOG = logging.getLogger(__name__)

BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)
TIMEOUT_S = 10.0
KEEPALIVE_S = 30
MOST_WAITING = 100  # messages: a flood must not fill the memory
WATCH_S = 1.0
SECRET_MAX = 65_535  # bytes: the protocol counts them in two
LOST = (aiomqtt.MqttError, OSError, IgoudarError)
"""What a broker that is gone or refuses, a network, a certificate or a file that goes bad comes to."""
MQTT_LOG = logging.getLogger("igoudar.mqtt")
MQTT_LOG.setLevel(logging.ERROR)  # below that the library logs every packet, payloads included


@dataclass(slots=True)
class Broker:
    """Speaks for one site.

    `connected` is for the status page and the alarm: a grid that can't reach us must be noticed. Of two hosts
    only the writer speaks: the broker knows the site by one name, and ends the older of two sessions.

    Args:
        dsx: The site's settings.
        flex: Answers.
        writer: Whether this host is the writer.
    """

    dsx: Dsx
    flex: Flex
    writer: Callable[[], bool] = field(default=lambda: True)
    connected: bool = False
    taken: int = 0

    def check(self) -> None:
        """Before anything is started: the files that its way needs.

        Raises:
            ConfigError: one that can't be used.
        """
        _way(self.dsx)

    async def run(self) -> None:
        """Until cancelled; whatever the broker does, the site goes on."""
        failures = 0
        while True:
            if not self.writer():
                await asyncio.sleep(WATCH_S)
                continue
            await self._once()
            failures = 0 if self.connected else failures + 1
            self.connected = False
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])

    async def _once(self) -> None:
        """One session, whatever ends it; of an error its words only: kept, it would keep its socket."""
        try:
            await self._session()
            LOG.info("this host is not the writer any more: the broker of [dsx] is left to the one that is")
        except NotWriterError:
            LOG.warning("a target came when this host was the writer no more: it is left to the one that is")
        except LOST as error:
            LOG.warning("the broker of [dsx] is lost (%s); trying again", error)
        except Exception as error:  # noqa: BLE001 - no list of kinds would be whole
            # The MQTT library hands on whatever its parser raises while a session ends, and what left this
            # task would end control: a fault in what we tell the grid must not leave the plant unattended.
            told = "".join(traceback.format_exception(error))
            LOG.error("a fault in the session with the broker of [dsx]; trying again\n%s", told)

    async def _session(self) -> None:
        async with _client(self.dsx) as client:
            await client.subscribe(target_topic(self.dsx.identifier), qos=AT_LEAST_ONCE)
            self.connected = True
            await _publish(client, [self.flex.report()])
            telling = asyncio.create_task(self._tell(client), name="dsx status")
            listening = asyncio.create_task(self._listen(client), name="dsx targets")
            try:
                await asyncio.wait((telling, listening), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (telling, listening):
                    task.cancel()
                await asyncio.wait((telling, listening))
            for task in (listening, telling):
                if not task.cancelled():
                    task.result()

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for arrived in client.messages:
            raw = arrived.payload if isinstance(arrived.payload, bytes) else str(arrived.payload).encode()
            if arrived.retain:
                LOG.info("a retained target is not acted upon: it may be of any age")
                _acknowledge(client, arrived)
                continue
            told = self.flex.take(str(arrived.topic), raw)
            self.taken += 1
            _acknowledge(client, arrived)
            await _publish(client, told)

    async def _tell(self, client: aiomqtt.Client) -> None:
        """Breaches as they come, the state of power at its period; its end, or fault, is the session's."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self.dsx.status_s
        while self.writer():
            await asyncio.sleep(min(WATCH_S, self.dsx.status_s))
            told = self.flex.watch()
            if loop.time() >= due_s:
                due_s += self.dsx.status_s
                told.append(self.flex.report())
            await _publish(client, told)


async def _publish(client: aiomqtt.Client, messages: Sequence[Outgoing]) -> None:
    for one in messages:
        await client.publish(one.topic, one.body, qos=one.qos, timeout=TIMEOUT_S)
        _obey()


def _acknowledge(client: aiomqtt.Client, arrived: aiomqtt.Message) -> None:
    """Until then the broker keeps it, and brings it again: to us, or to the writer after us."""
    client._client.ack(arrived.mid, arrived.qos)  # noqa: SLF001 - aiomqtt has no word for it


def _obey() -> None:
    """Python 3.11's wait_for, which the library uses, swallows a cancellation that comes with the answer."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Way(NamedTuple):
    """What is read from files, each time anew: they may be replaced while we run."""

    username: str | None
    password: str | None
    context: ssl.SSLContext | None


def _way(dsx: Dsx) -> Way:
    return Way(_secret(dsx.user_file), _secret(dsx.password_file), _context(dsx) if dsx.tls else None)


def _client(dsx: Dsx) -> aiomqtt.Client:
    way = _way(dsx)
    client = aiomqtt.Client(
        dsx.host,
        dsx.port,
        username=way.username,
        password=way.password,
        identifier=f"igoudar-{dsx.identifier}",
        clean_session=False,  # a target that was sent while we were away is still judged, by its age
        tls_context=way.context,
        timeout=TIMEOUT_S,
        keepalive=KEEPALIVE_S,
        max_queued_incoming_messages=MOST_WAITING,
        logger=MQTT_LOG,
    )
    client._client.manual_ack_set(True)  # noqa: SLF001 - see _acknowledge
    return client


def _context(dsx: Dsx) -> ssl.SSLContext:
    return client_context(TlsFiles(dsx.ca, dsx.certificate, dsx.key), "dsx")


def _secret(name: str) -> str | None:
    if not name:
        return None
    try:
        secret = Path(name).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"can't be read ({error.strerror})", where=name, fix="check its path") from error
    except UnicodeDecodeError:  # whose words would tell the secret
        raise ConfigError("is no text in UTF-8", where=name, fix="write the secret alone in it") from None
    if len(secret.encode()) > SECRET_MAX:
        raise ConfigError(f"has more than {SECRET_MAX} bytes", where=name, fix="write the secret alone in it")
    return secret
