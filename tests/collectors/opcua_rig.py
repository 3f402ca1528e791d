"""An OPC UA server of asyncua with one turbine, and sessions of ours to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.server.internal_session import InternalSession
from asyncua.server.server import Server

from igoudar.collectors.certificates import Made
from igoudar.collectors.faults import Backoff, LinkFault
from igoudar.collectors.opcua import OpcUaReader, OpcUaSession
from igoudar.collectors.opcua_door import Door
from igoudar.collectors.opcua_line import Item
from igoudar.collectors.profiles import load_profiles
from igoudar.core.model import OpcUaAddress

TURBINE = load_profiles()["iec61400-25-turbine"]
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
START = 10.0
POLICIES = ua.SecurityPolicyType


class Rig:
    """A server with one turbine.

    Args:
        port: 0 = any.
        leave_out: Points whose nodes are not there.
        shift: How many foreign namespaces come before the turbine's.
        secure: Certificate and key (DER, PEM): the server then offers nothing but SignAndEncrypt.
    """

    def __init__(
        self, port: int = 0, leave_out: tuple[str, ...] = (), shift: int = 0, secure: Made | None = None
    ) -> None:
        self.port, self.leave_out, self.shift, self.secure = port, leave_out, shift, secure
        self.nodes: dict[str, Any] = {}
        self.index = 0
        self.server = Server()

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}"

    async def __aenter__(self) -> "Rig":
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/")
        if self.secure is None:
            self.server.set_security_policy([POLICIES.NoSecurity])
        else:
            await self.server.load_certificate(self.secure.certificate, "der")
            await self.server.load_private_key(self.secure.key, format="pem")
            self.server.set_security_policy([POLICIES.Basic256Sha256_SignAndEncrypt])
        for number in range(self.shift):
            await self.server.register_namespace(f"urn:other:{number}")
        self.index = await self.server.register_namespace(TURBINE.namespace)
        for name in TURBINE.points:
            if name not in self.leave_out:
                await self.add(name)
        await self.server.start()
        assert self.server.bserver is not None
        self.port = self.server.bserver.port
        return self

    async def add(self, name: str) -> None:
        address = TURBINE.points[name].address
        assert isinstance(address, OpcUaAddress)
        whole = name.endswith("_state")
        kind = ua.VariantType.Int32 if whole else ua.VariantType.Double
        node_id = ua.NodeId(f"t1.{address.path}", self.index)
        self.nodes[name] = await self.server.nodes.objects.add_variable(
            node_id, address.path, 2 if whole else START, kind
        )
        await self.nodes[name].set_writable()

    async def show(self, name: str, value: float, code: int = ua.StatusCodes.Good, at: datetime = AT) -> None:
        await self.nodes[name].write_value(
            ua.DataValue(ua.Variant(value, ua.VariantType.Double), ua.StatusCode(code), SourceTimestamp=at)
        )

    @property
    def sessions(self) -> int:
        """Sessions of clients that the server holds."""
        return len(self.server.iserver._external_sessions)

    @property
    def subscriptions(self) -> list[Any]:
        return list(self.server.iserver.subscription_service.subscriptions.values())

    def cut(self) -> None:
        """Drop every client's transport; the server keeps their sessions."""
        assert self.server.bserver is not None
        for client in list(self.server.bserver.clients):
            client.transport.abort()

    async def __aexit__(self, *exc: object) -> None:
        await self.server.stop()


@asynccontextmanager
async def session_to(
    rig: Rig, door: Door | None = None, memory: Path | None = None, polling_s: float = 0.3
) -> AsyncIterator[tuple[OpcUaSession, OpcUaReader]]:
    items = [Item("t1", point, TURBINE.namespace) for point in TURBINE.points.values()]
    polling = Backoff(polling_s, polling_s)
    way = door or Door(rig.url, memory=memory)
    session = OpcUaSession(way, items, 0.1, Backoff(0.05, 0.2), polling)
    task = asyncio.create_task(session.run())
    try:
        yield session, OpcUaReader(TURBINE, session, "t1")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reads(reader: OpcUaReader, name: str, value: float) -> None:
    """Wait until the reader shows `value`."""
    async with asyncio.timeout(15):
        while True:
            try:
                if (await reader.read(slow=False)).values.get(name) == value:
                    return
            except LinkFault:
                pass
            await asyncio.sleep(0.02)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await condition():
            await asyncio.sleep(0.02)


__all__ = ["AT", "START", "TURBINE", "InternalSession", "Rig", "eventually", "reads", "session_to"]
