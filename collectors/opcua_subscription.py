"""One subscription on an OPC UA server: what it brings, and whether it still lives."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.opcua_line import CLOCK, Item, Line, Take
from igoudar.collectors.opcua_values import NOT_THERE, sample
from igoudar.core.model import Reason

if TYPE_CHECKING:
    from asyncua import ua

SILENT_INTERVALS = 3
CLOCK_S = 1.0  # servers renew their CurrentTime about this often
KEEP_ALIVE_S = 3.0
LIFETIMES = 10  # keep-alives that may fail before the server drops the subscription
RETRY_S = 60.0  # a node that was not there is asked for again


class SubscriptionFault(LinkFault):
    """The subscription was refused or died; the connection may well live, and be read from."""


class Stream:
    """A subscription to some items: hands every change to `take`, and watches its own age.

    The server's own clock is subscribed to as well: it changes always, so silence means a dead subscription
    even where the transport is up, keep-alives arrive and the plant stands still. Nothing is queued here:
    a change goes straight to `take`.

    Args:
        line: The connection.
        items: What to watch.
        interval_s: Publishing and sampling interval asked for (wall) [s].
        take: Called with every change.
        published: Called with the server's time of every message that it publishes.
    """

    def __init__(
        self,
        line: Line,
        items: Sequence[Item],
        interval_s: float,
        take: Take,
        published: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        self._line, self._items, self._interval_s = line, items, interval_s
        self._take, self._published = take, published
        self._session = line.client.uaclient.session
        self._loop = asyncio.get_running_loop()
        self._id: int | None = None
        self._refused: list[int] = []  # handles of items that the server does not have
        self._beat_s = self._loop.time()
        self._end: asyncio.Future[None] = self._loop.create_future()

    async def open(self) -> None:
        """Create the subscription and its items; one item that is refused costs only itself.

        Raises:
            SubscriptionFault: the server refuses to subscribe, or can't be watched.
        """
        from asyncua.ua.uaerrors import UaStatusCodeError

        try:
            await self._create()
            if not await self._monitor([0]):
                raise SubscriptionFault(Reason.STATUS_CODE, "the server's clock can't be watched")
            self._refused = await self._refusals(range(1, len(self._items) + 1))
        except UaStatusCodeError as error:
            raise SubscriptionFault(
                Reason.STATUS_CODE, f"the server refuses to subscribe ({error})"
            ) from error
        self._beat_s = self._loop.time()

    async def watch(self) -> None:
        """Return only by raising.

        Raises:
            SubscriptionFault: the subscription is dead.
        """
        limit_s = SILENT_INTERVALS * (self._interval_s + CLOCK_S)
        retry_at = self._loop.time() + RETRY_S
        while self._loop.time() - self._beat_s <= limit_s:
            await asyncio.wait((self._end,), timeout=self._interval_s)
            if self._end.done():
                self._end.result()
            if self._refused and self._loop.time() >= retry_at:
                retry_at = self._loop.time() + RETRY_S
                await self._line.learn()
                self._refused = await self._refusals(self._refused)
        raise SubscriptionFault(Reason.STALE, "the subscription fell silent")

    async def close(self) -> None:
        """Take the subscription off the server, as far as it answers."""
        if self._end.done() and not self._end.cancelled():
            self._end.exception()
        if self._id is not None:
            with suppress(Exception):  # a dead subscription may refuse in any way
                await self._session.delete_subscriptions([self._id])
            # asyncua keeps the callback of a subscription that the server has lost already.
            self._session._subscription_callbacks.pop(self._id, None)  # noqa: SLF001

    async def _create(self) -> None:
        """With parameters of our own: a library's keep-alive may be many minutes."""
        from asyncua import ua

        params = ua.CreateSubscriptionParameters()
        params.RequestedPublishingInterval = 1000 * self._interval_s
        params.RequestedLifetimeCount = LIFETIMES * self._keep_alive_count()
        params.RequestedMaxKeepAliveCount = self._keep_alive_count()
        params.MaxNotificationsPerPublish = 10_000
        params.PublishingEnabled = True
        created = await self._session.create_subscription(params, self._on_publish)
        self._id = created.SubscriptionId
        if created.RevisedPublishingInterval > 1000 * self._interval_s:
            self._interval_s = created.RevisedPublishingInterval / 1000
            if created.RevisedMaxKeepAliveCount > self._keep_alive_count():
                await self._modify()

    async def _modify(self) -> None:
        """A server that publishes less often than asked gets the keep-alive that suits its interval."""
        from asyncua import ua

        params = ua.ModifySubscriptionParameters()
        params.SubscriptionId = self._id
        params.RequestedPublishingInterval = 1000 * self._interval_s
        params.RequestedLifetimeCount = LIFETIMES * self._keep_alive_count()
        params.RequestedMaxKeepAliveCount = self._keep_alive_count()
        params.MaxNotificationsPerPublish = 10_000
        await self._session.update_subscription(params)

    def _keep_alive_count(self) -> int:
        return max(1, round(KEEP_ALIVE_S / self._interval_s))

    async def _refusals(self, handles: Sequence[int]) -> list[int]:
        """Monitor items by handle; the handles that the server does not have, each told as missing."""
        accepted = set(await self._monitor(handles))
        refused = [handle for handle in handles if handle not in accepted]
        for handle in refused:
            self._take(self._items[handle - 1], NOT_THERE)
        return refused

    async def _monitor(self, handles: Sequence[int]) -> list[int]:
        """Handles (0 is the server's clock) that are monitored now.

        Raises:
            SubscriptionFault: the server has no room for more items.
        """
        from asyncua.ua.status_codes import StatusCodes

        known = [request for handle in handles if (request := self._request(handle)) is not None]
        results = await self._line.items.run(known, self._create_items)
        if any(result.StatusCode.value == StatusCodes.BadTooManyMonitoredItems for result in results):
            raise SubscriptionFault(Reason.STATUS_CODE, "the server has no room for all items")
        return [
            request.RequestedParameters.ClientHandle
            for request, result in zip(known, results, strict=True)
            if result.StatusCode.is_good()
        ]

    async def _create_items(
        self, requests: "Sequence[ua.MonitoredItemCreateRequest]"
    ) -> "list[ua.MonitoredItemCreateResult]":
        from asyncua import ua

        params = ua.CreateMonitoredItemsParameters()
        params.SubscriptionId = self._id
        params.ItemsToCreate = list(requests)
        params.TimestampsToReturn = ua.TimestampsToReturn.Source
        return await self._session.create_monitored_items(params)

    def _request(self, handle: int) -> "ua.MonitoredItemCreateRequest | None":
        from asyncua import ua
        from asyncua.ua.attribute_ids import AttributeIds

        node = self._line.node_id(self._items[handle - 1]) if handle else ua.NodeId(ua.Int32(CLOCK))
        if node is None:
            return None
        request = ua.MonitoredItemCreateRequest()
        request.ItemToMonitor.NodeId = node
        request.ItemToMonitor.AttributeId = AttributeIds.Value
        request.MonitoringMode = ua.MonitoringMode.Reporting
        request.RequestedParameters.ClientHandle = ua.UInt32(handle)
        request.RequestedParameters.SamplingInterval = 1000 * self._interval_s
        request.RequestedParameters.QueueSize = ua.UInt32(1)
        request.RequestedParameters.DiscardOldest = True
        return request

    def _on_publish(self, result: "ua.PublishResult") -> None:
        """Called by asyncua, which would swallow what is raised here."""
        try:
            self._published(result.NotificationMessage.PublishTime)
            for notice in result.NotificationMessage.NotificationData or ():
                self._noticed(notice)
        except Exception as error:  # noqa: BLE001 - it ends the stream instead
            self._ended(Reason.MALFORMED, f"a notification can't be used ({error!r})")

    def _noticed(self, notice: object) -> None:
        changes = getattr(notice, "MonitoredItems", None)
        if changes is not None:
            self._beat_s = self._loop.time()
            for change in changes:
                if change.ClientHandle:
                    item = self._items[change.ClientHandle - 1]
                    self._take(item, sample(item.point, change.Value))
        elif (status := getattr(notice, "Status", None)) is not None and not status.is_good():
            self._ended(Reason.STALE, f"the server ended the subscription ({status.name})")

    def _ended(self, reason: Reason, what: str) -> None:
        if not self._end.done():
            self._end.set_exception(SubscriptionFault(reason, what))
