"""One connection to an OPC UA server and the one subscription on it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.opcua_values import NOT_THERE, Sample, sample
from igoudar.core.model import OpcUaAddress, Point, Reason

if TYPE_CHECKING:  # asyncua costs a second of CPU to import: only a site that has OPC UA pays for it
    from asyncua import ua
    from asyncua.client.client import Client
    from asyncua.common.node import Node
    from asyncua.common.subscription import Subscription

PER_CALL = 500  # monitored items per request, within what servers commonly allow
SILENT_INTERVALS = 3
CLOCK_S = 1.0  # servers renew their CurrentTime about this often


class Item(NamedTuple):
    """One point of one device on the server."""

    tag: str
    point: Point
    namespace: str


Take = Callable[[Item, Sample], None]


class Feed:
    """A live subscription: hands every change to `take`, and watches its own age.

    The server's own clock is subscribed to as well: it changes always, so silence means a dead subscription
    even where the transport is up and the plant stands still.
    """

    def __init__(self, client: "Client", items: Sequence[Item], interval_s: float, take: Take) -> None:
        self._client, self._items, self._interval_s, self._take = client, items, interval_s, take
        self._indices: dict[str, int] = {}
        self._slots: dict[ua.NodeId, Item] = {}
        self._beat_s = time.monotonic()
        self._lost = asyncio.Event()

    async def run(self, subscribed: Callable[[], None]) -> None:
        """Subscribe, read all once, call `subscribed`, then deliver until the subscription dies.

        Raises:
            LinkFault: how it died.
        """
        self._client.connection_lost_callback = self._on_lost
        subscription = await self._subscribe()
        await self._read_all()
        drain = asyncio.create_task(self._drain(subscription), name="opcua drain")
        watch = asyncio.create_task(self._watch(), name="opcua watch")
        try:
            subscribed()
            done, _ = await asyncio.wait((drain, watch), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            raise LinkFault(Reason.STALE, "the server ended the subscription")
        finally:
            for task in (drain, watch):
                task.cancel()
            await asyncio.gather(drain, watch, return_exceptions=True)

    async def node(self, item: Item) -> "Node":
        """The item's node; namespace indices are asked for anew on every connection, as they may change."""
        assert isinstance(item.point.address, OpcUaAddress)  # noqa: S101 - the profile's protocol says so
        if item.namespace not in self._indices:
            self._indices[item.namespace] = await self._client.get_namespace_index(item.namespace)
        path = f"{item.tag}.{item.point.address.path}"
        return self._client.get_node(f"ns={self._indices[item.namespace]};s={path}")

    async def _subscribe(self) -> "Subscription":
        from asyncua import ua
        from asyncua.ua.object_ids import ObjectIds

        params = ua.CreateSubscriptionParameters()
        params.RequestedPublishingInterval = 1000 * self._interval_s
        params.RequestedLifetimeCount = 60
        params.RequestedMaxKeepAliveCount = 3
        params.MaxNotificationsPerPublish = 10_000
        params.PublishingEnabled = True
        room = 4 * len(self._items) + 100
        subscription = await self._client.create_subscription(params, None, queue_maxsize=room)
        sampling_ms = ua.Double(1000 * self._interval_s)
        clock = self._client.get_node(ObjectIds.Server_ServerStatus_CurrentTime)
        await subscription.subscribe_data_change([clock], sampling_interval=sampling_ms)
        for start in range(0, len(self._items), PER_CALL):
            await self._monitor(subscription, self._items[start : start + PER_CALL], sampling_ms)
        return subscription

    async def _monitor(
        self, subscription: "Subscription", items: Sequence[Item], sampling_ms: "ua.Double"
    ) -> None:
        """Subscribe to `items`; one that the server refuses costs only itself."""
        nodes = [await self.node(item) for item in items]
        self._slots.update(zip((node.nodeid for node in nodes), items, strict=True))
        answers = await subscription.subscribe_data_change(nodes, sampling_interval=sampling_ms)
        for node, item, answer in zip(nodes, items, answers, strict=True):
            if not isinstance(answer, int):
                del self._slots[node.nodeid]
                self._take(item, NOT_THERE)

    async def _read_all(self) -> None:
        """Read every item once: a value that never changes is not sent again if its first notice got lost."""
        from asyncua.ua.attribute_ids import AttributeIds

        nodes = list(self._slots)
        for start in range(0, len(nodes), PER_CALL):
            chunk = nodes[start : start + PER_CALL]
            answers = await self._client.uaclient.session.read_attributes(chunk, AttributeIds.Value)
            for node, answer in zip(chunk, answers, strict=True):
                self._take(self._slots[node], sample(self._slots[node].point, answer))

    async def _drain(self, subscription: "Subscription") -> None:
        from asyncua.common.subscription import DataChangeEvent, StatusChangeEvent

        async for event in subscription:
            if isinstance(event, DataChangeEvent):
                self._beat_s = time.monotonic()
                if item := self._slots.get(event.node.nodeid):
                    self._take(item, sample(item.point, event.data.monitored_item.Value))
            elif isinstance(event, StatusChangeEvent):
                raise LinkFault(
                    Reason.STALE, f"the server ended the subscription ({event.notification.Status})"
                )

    async def _watch(self) -> None:
        """Return only by raising."""
        limit_s = SILENT_INTERVALS * (self._interval_s + CLOCK_S)
        while time.monotonic() - self._beat_s <= limit_s:
            try:
                await asyncio.wait_for(self._lost.wait(), self._interval_s)
            except TimeoutError:
                continue
            raise LinkFault(Reason.NO_CONNECTION, "the connection was lost")
        raise LinkFault(Reason.STALE, "the subscription fell silent")

    async def _on_lost(self, _: Exception) -> None:
        self._lost.set()
