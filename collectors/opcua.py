"""One OPC UA session per server, shared by all its devices."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from igoudar.collectors import codec
from igoudar.collectors.faults import Backoff, LinkFault
from igoudar.collectors.opcua_subscription import Feed, Item
from igoudar.collectors.opcua_values import NOT_THERE, Sample, classified, sample, variant
from igoudar.collectors.readers import Values
from igoudar.core.model import Point, Profile, Quality, Reason

if TYPE_CHECKING:
    from asyncua.client.client import Client

CONNECT_S = 10.0
REQUEST_S = 4.0


class OpcUaSession:
    """Keeps one subscription alive while `run` runs, and remembers what it brought.

    Args:
        url: `opc.tcp://host:port`.
        items: Every point of every device on this server.
        interval_s: Publishing and sampling interval (wall) [s].
    """

    def __init__(
        self, url: str, items: Sequence[Item], interval_s: float, backoff: Backoff | None = None
    ) -> None:
        self.url, self.sessions = url, 0
        self._items, self._interval_s = items, interval_s
        self._backoff = backoff or Backoff()
        self.fault: LinkFault | None = LinkFault(Reason.NO_CONNECTION, "not connected yet", where=url)
        self._samples: dict[tuple[str, str], Sample] = {}
        self._feed: Feed | None = None
        self._first = asyncio.Event()  # the first values came, or the first attempt failed

    async def run(self) -> None:
        """Connect, subscribe, deliver; again and again until cancelled."""
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # its faults are ours to report, as gaps
        while True:
            await self._connected()
            await asyncio.sleep(self._backoff.failed(asyncio.get_running_loop().time()))

    async def values(self, tag: str, points: Mapping[str, Point]) -> Values:
        """The device's last values; only the very first call may wait.

        Raises:
            LinkFault: the subscription is dead, or the server has nothing good of this device.
        """
        if not self._first.is_set():
            await self._first.wait()
        if self.fault is not None:
            raise self.fault.again()
        samples = {name: self._samples.get((tag, name), NOT_THERE) for name in points}
        values = {name: s.value for name, s in samples.items() if s.value is not None}
        flags = {name: (s.quality, s.reason) for name, s in samples.items() if s.quality is not Quality.GOOD}
        if not values:
            reason = next((reason for _, reason in flags.values()), Reason.MISSING)
            raise LinkFault(reason, "the server has no good value of it", where=f"{self.url} {tag}")
        return Values(values, flags, _newest(samples.values()))

    async def write(self, item: Item, value: float) -> float:
        """Write a node in its own type, then read it back.

        Raises:
            LinkFault: the server refused, or the value can't be read back.
        """
        if self._feed is None:
            raise LinkFault(Reason.NO_CONNECTION, "not connected", where=self.url)
        with classified(self.url):
            node = await self._feed.node(item)
            kind = await node.read_data_type_as_variant_type()
            await node.write_value(variant(codec.to_raw(item.point, value), kind))
            held = sample(item.point, await node.read_data_value(raise_on_bad_status=False))
        if held.value is None:
            raise LinkFault(held.reason, f"{item.point.name} reads back as no value", where=self.url)
        self._samples[item.tag, item.point.name] = held
        return held.value

    async def _connected(self) -> None:
        """One connection from its opening to its end, which is told as a fault."""
        from asyncua.client.client import Client

        client = Client(self.url, timeout=REQUEST_S, watchdog_intervall=max(self._interval_s, 1.0))
        try:
            with classified(self.url):
                async with asyncio.timeout(CONNECT_S):
                    await client.connect()
                self.sessions += 1
                self._samples.clear()
                feed = Feed(client, self._items, self._interval_s, self._take)
                await feed.run(lambda: self._subscribed(feed))
        except LinkFault as fault:
            self.fault, self._feed = fault, None
            self._first.set()
        finally:
            await _close(client)

    def _subscribed(self, feed: Feed) -> None:
        """Every item has been read once: from now on the samples are shown."""
        self._feed, self.fault = feed, None
        self._backoff.succeeded()
        self._first.set()

    def _take(self, item: Item, got: Sample) -> None:
        self._samples[item.tag, item.point.name] = got


class OpcUaReader:
    """One device of a session."""

    def __init__(self, profile: Profile, session: OpcUaSession, tag: str) -> None:
        self._profile, self._session, self._tag = profile, session, tag

    async def read(self, *, slow: bool) -> Values:
        """See Reader; a subscription has no slow points."""
        del slow
        return await self._session.values(self._tag, self._profile.points)

    async def write(self, point: Point, value: float) -> float:
        """See Reader."""
        return await self._session.write(Item(self._tag, point, self._profile.namespace), value)


def _newest(samples: Iterable[Sample]) -> datetime | None:
    times = [s.source_at for s in samples if s.source_at is not None]
    return max(times, default=None)


async def _close(client: "Client") -> None:
    """Leave the server without a dangling session, but never wait long for it."""
    try:
        async with asyncio.timeout(REQUEST_S):
            await client.disconnect()
    except Exception:  # noqa: BLE001, S110 - whatever a dying connection raises, it is being dropped
        pass
