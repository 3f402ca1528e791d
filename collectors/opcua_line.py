"""One live connection to an OPC UA server: its limits, its namespaces, its batched reads."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from igoudar.collectors.opcua_values import NOT_THERE, Sample, sample
from igoudar.core.model import OpcUaAddress, Point

if TYPE_CHECKING:  # asyncua costs a second of CPU to import: only a site that has OPC UA pays for it
    from asyncua import ua
    from asyncua.client.client import Client
    from asyncua.common.node import Node

MOST_PER_CALL = 500  # where a server names no limit, or a higher one: keeps messages small
CLOCK = 2258  # Server_ServerStatus_CurrentTime
NAMESPACES = 2255
MOST_NODES_PER_READ = 11705
MOST_ITEMS_PER_CALL = 11714
MOST_ITEMS_PER_SUBSCRIPTION = 24104

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")


class Item(NamedTuple):
    """One point of one device on the server."""

    tag: str
    point: Point
    namespace: str


Take = Callable[[Item, Sample], None]


class Chunks:
    """Cuts a list to what a server takes in one call; a call that it finds too large is halved for good."""

    def __init__(self) -> None:
        self.size = MOST_PER_CALL

    def limit(self, most: int) -> None:
        """What the server says that it takes; 0 = it does not say."""
        self.size = min(most or self.size, self.size)

    async def run(
        self, things: Sequence[Thing], call: Callable[[Sequence[Thing]], Awaitable[Sequence[Answer]]]
    ) -> list[Answer]:
        """One answer for each of `things`.

        Raises:
            ValueError: the server answered for more or fewer than it was asked.
        """
        from asyncua.ua.uaerrors import UaStatusCodeError

        answers: list[Answer] = []
        while len(answers) < len(things):
            part = things[len(answers) : len(answers) + self.size]
            try:
                got = await call(part)
            except UaStatusCodeError as error:
                if len(part) == 1 or error.code not in _too_large():
                    raise
                self.size = len(part) // 2
                continue
            if len(got) != len(part):
                raise ValueError(f"{len(got)} answers to {len(part)} questions")
            answers += got
        return answers


class Line:
    """What is asked of a connected server; `learn` comes first."""

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.reads, self.items = Chunks(), Chunks()
        self.per_subscription = 0  # 0 = no limit
        self._indices: dict[str, int] = {}

    @property
    def alive(self) -> bool:
        """Whether the transport stands, as far as it is known."""
        from asyncua.client.ua_client import UaClientState

        return self.client.state is UaClientState.CONNECTED

    async def learn(self) -> None:
        """Ask for the server's limits and namespaces; both may differ after its restart."""
        asked = (NAMESPACES, MOST_NODES_PER_READ, MOST_ITEMS_PER_CALL, MOST_ITEMS_PER_SUBSCRIPTION)
        answers = await self.reads.run([_server(number) for number in asked], self._values)
        names, *limits = map(_content, answers)
        if not isinstance(names, list):
            raise ValueError("the server has no namespaces")
        self._indices = {str(name): index for index, name in enumerate(names)}
        reads, items, whole = (limit if isinstance(limit, int) else 0 for limit in limits)
        self.reads.limit(reads)
        self.items.limit(items)
        self.per_subscription = whole

    def node_id(self, item: Item) -> "ua.NodeId | None":
        """The item's node as this server numbers it, None while it has no such namespace."""
        from asyncua import ua

        assert isinstance(item.point.address, OpcUaAddress)  # noqa: S101 - the profile's protocol says so
        index = self._indices.get(item.namespace)
        if index is None:
            return None
        return ua.NodeId(ua.String(f"{item.tag}.{item.point.address.path}"), ua.Int16(index))

    def node(self, item: Item) -> "Node":
        """The item's node, to be written.

        Raises:
            KeyError: the server has no such namespace.
        """
        node_id = self.node_id(item)
        if node_id is None:
            raise KeyError(item.namespace)
        return self.client.get_node(node_id)

    async def read(self, items: Sequence[Item], take: Take) -> None:
        """Read every item once; each has its own status and source time."""
        known = [(item, node_id) for item in items if (node_id := self.node_id(item)) is not None]
        for item in items if len(known) < len(items) else ():
            if self.node_id(item) is None:
                take(item, NOT_THERE)
        answers = await self.reads.run([node_id for _, node_id in known], self._values)
        for (item, _), answer in zip(known, answers, strict=True):
            take(item, sample(item.point, answer))

    async def _values(self, nodes: "Sequence[ua.NodeId]") -> "list[ua.DataValue]":
        from asyncua.ua.attribute_ids import AttributeIds

        return await self.client.uaclient.session.read_attributes(list(nodes), AttributeIds.Value)


def _server(number: int) -> "ua.NodeId":
    from asyncua import ua

    return ua.NodeId(ua.Int32(number))


def _content(answer: "ua.DataValue") -> object:
    return answer.Value.Value if answer.Value is not None else None


def _too_large() -> frozenset[int]:
    from asyncua.ua.status_codes import StatusCodes

    return frozenset(
        {
            StatusCodes.BadTooManyOperations,
            StatusCodes.BadRequestTooLarge,
            StatusCodes.BadResponseTooLarge,
            StatusCodes.BadEncodingLimitsExceeded,
            StatusCodes.BadTcpMessageTooLarge,
        }
    )
