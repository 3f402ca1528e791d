"""One OPC UA session per server, shared by all its devices."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from igoudar.collectors import codec
from igoudar.collectors.faults import Backoff, LinkFault
from igoudar.collectors.opcua_door import Door
from igoudar.collectors.opcua_line import Item, Line
from igoudar.collectors.opcua_skew import Skew
from igoudar.collectors.opcua_subscription import Stream, SubscriptionFault
from igoudar.collectors.opcua_values import NOT_THERE, Sample, classified, newest, sample, variant
from igoudar.collectors.readers import Permit, Values
from igoudar.core.model import Point, Profile, Quality, Reason

LOG = logging.getLogger(__name__)

CALM_S = 30.0  # a connection that held this long was not the last failure's sequel
TRUST_S = 5.0  # between looks at the certificate store
LONGEST_POLLING_S = 300.0  # before subscribing is tried again


class OpcUaSession:
    """Keeps its items fresh while `run` runs: by subscription, or by batched reads where that fails.

    Args:
        door: The way into the server.
        items: Every point of every device on this server.
        interval_s: Publishing, sampling and polling interval (wall) [s].
        backoff: Waits between connections.
        polling: For how long items are polled before subscribing is tried again.
    """

    def __init__(
        self,
        door: Door,
        items: Sequence[Item],
        interval_s: float,
        backoff: Backoff | None = None,
        polling: Backoff | None = None,
    ) -> None:
        self.url, self.sessions, self.changes = door.url, 0, 0
        self.skew, self.polled = Skew(), False
        self.fault: LinkFault | None = LinkFault(Reason.NO_CONNECTION, "not connected yet", where=door.url)
        self._door, self._items, self._interval_s = door, items, interval_s
        self._backoff = backoff or Backoff()
        self._polling = polling or Backoff(5.0, LONGEST_POLLING_S)
        self._samples: dict[str, dict[str, Sample]] = {item.tag: {} for item in items}
        self._line: Line | None = None
        self._first = asyncio.Event()  # the first values came, or the first attempt failed

    async def run(self) -> None:
        """Connect and deliver; again and again until cancelled."""
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # its faults are ours to report, as gaps
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._connected()
            if loop.time() - began >= CALM_S:
                self._backoff.succeeded()
            await asyncio.sleep(self._backoff.failed(loop.time()))

    async def values(self, tag: str, points: Mapping[str, Point]) -> Values:
        """The device's last values; only the very first call may wait.

        Raises:
            LinkFault: nothing is brought in now, or the server has nothing good of this device.
        """
        if not self._first.is_set():
            await self._first.wait()
        if self.fault is not None:
            raise self.fault.again()
        held = self._samples[tag]
        samples = {name: held.get(name, NOT_THERE) for name in points}
        values = {name: s.value for name, s in samples.items() if s.value is not None}
        flags = {name: (s.quality, s.reason) for name, s in samples.items() if s.quality is not Quality.GOOD}
        if not values:
            reason = next((reason for _, reason in flags.values()), Reason.MISSING)
            raise LinkFault(reason, "the server has no good value of it", where=f"{self.url} {tag}")
        return Values(values, flags, newest(samples.values()))

    async def ask(self, item: Item) -> float | None:
        """Read one node now.

        Raises:
            LinkFault: it was not read, or its status is bad.
        """
        with classified(self.url):
            answer = await self._open_line().node(item).read_data_value(raise_on_bad_status=False)
        held = sample(item.point, answer)
        self._take(item, held)
        if held.value is None and held.reason is not Reason.SENTINEL:
            raise LinkFault(held.reason, f"{item.point.name} has no good value", where=self.url)
        return held.value

    async def write(self, item: Item, value: float, permit: Permit) -> float:
        """Write a node in its own type; returns the value as that type holds it.

        Raises:
            LinkFault: the server refused; Withheld: nothing was sent.
        """
        with classified(self.url):
            node = self._open_line().node(item)
            kind = await node.read_data_type_as_variant_type()
            wanted = variant(codec.to_raw(item.point, value), kind)
            permit()
            await node.write_value(wanted)
        held = codec.from_raw(item.point, float(wanted.Value))[0]
        return value if held is None else held

    def _open_line(self) -> Line:
        if self._line is None:
            raise LinkFault(Reason.NO_CONNECTION, "not connected", where=self.url)
        return self._line

    async def _connected(self) -> None:
        """One connection from its opening to its end, which is told as a fault."""
        try:
            with classified(self.url):
                async with self._door.opened() as client:
                    self.sessions += 1
                    await self._deliver(Line(client))
        except LinkFault as fault:
            self._down(fault)
        finally:
            self._line = None

    async def _deliver(self, line: Line) -> None:
        """Subscribe; poll while that does not work. Return only by raising: the connection is lost."""
        await line.learn()
        self._forget()
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._subscribed(line)
            except SubscriptionFault as fault:
                if not line.alive:
                    raise LinkFault(Reason.NO_CONNECTION, "the connection was lost") from fault
                LOG.warning("%s: %s; its items are polled", self.url, fault)
                self._down(LinkFault(fault.reason, fault.what, where=self.url))
            if loop.time() - began >= CALM_S:
                self._polling.succeeded()
            await self._polled(line, self._polling.failed(loop.time()))

    async def _subscribed(self, line: Line) -> None:
        """All subscriptions that the items need, until one of them dies."""
        async with AsyncExitStack() as stack:
            streams = []
            for part in _parts(self._items, line.per_subscription):
                stream = Stream(line, part, self._interval_s, self._changed, self.skew.published)
                stack.push_async_callback(stream.close)
                await stream.open()
                streams.append(stream)
            # A value that never changes is not sent again if its first notice got lost.
            await line.read(self._items, self._read)
            self._up(line, polled=False)
            await _first_end([*(stream.watch() for stream in streams), self._trusted()])

    async def _polled(self, line: Line, for_s: float) -> None:
        """Read all items in every interval for a while."""
        loop = asyncio.get_running_loop()
        until = due = loop.time()
        until += for_s
        while due < until:
            self._door.check()
            await line.read(self._items, self._take)
            self._up(line, polled=True)
            due = max(due + self._interval_s, loop.time())
            await asyncio.sleep(min(due, until) - loop.time())

    async def _trusted(self) -> None:
        """Return only by raising: a person took trust back."""
        while True:
            await asyncio.sleep(TRUST_S)
            self._door.check()

    def _up(self, line: Line, *, polled: bool) -> None:
        """Every item has been read: from now on the samples are shown."""
        self._line, self.fault, self.polled = line, None, polled
        self._first.set()

    def _down(self, fault: LinkFault) -> None:
        """Nothing comes in: nothing old is shown."""
        self.fault, self.polled = fault, False
        self._forget()
        self._first.set()

    def _forget(self) -> None:
        for held in self._samples.values():
            held.clear()

    def _changed(self, item: Item, got: Sample) -> None:
        self.changes += 1
        self._samples[item.tag][item.point.name] = got

    def _take(self, item: Item, got: Sample) -> None:
        self._samples[item.tag][item.point.name] = got

    def _read(self, item: Item, got: Sample) -> None:
        """A sample that was read, unless a newer change came while it was on its way."""
        held = self._samples[item.tag].get(item.point.name)
        if held is None or held.source_at is None or got.source_at is None or got.source_at >= held.source_at:
            self._take(item, got)


class OpcUaReader:
    """One device of a session."""

    def __init__(self, profile: Profile, session: OpcUaSession, tag: str) -> None:
        self._profile, self._session, self._tag = profile, session, tag

    async def read(self, *, slow: bool) -> Values:
        """See Reader; a subscription has no slow points."""
        del slow
        return await self._session.values(self._tag, self._profile.points)

    async def ask(self, point: Point) -> float | None:
        """See Reader."""
        return await self._session.ask(Item(self._tag, point, self._profile.namespace))

    async def write(self, point: Point, value: float, permit: Permit) -> float:
        """See Reader."""
        return await self._session.write(Item(self._tag, point, self._profile.namespace), value, permit)


def _parts(items: Sequence[Item], limit: int) -> list[Sequence[Item]]:
    """As many items in each as one subscription may have, the server's clock beside them."""
    size = max(1, limit - 1) if limit else max(1, len(items))
    return [items[start : start + size] for start in range(0, len(items), size)]


async def _first_end(watched: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all; raise what ends the first of them."""
    watches = [asyncio.ensure_future(one) for one in watched]
    try:
        done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
        for watch in done:
            watch.result()
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
