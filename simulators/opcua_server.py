"""One OPC UA server for every OPC UA device of a site: an object per device tag, values on site time."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from itertools import cycle
from typing import Any, NamedTuple, Self, cast

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import BadDeviceFailure, BadOutOfRange, BadTypeMismatch

from igoudar.core.errors import IgoudarError
from igoudar.core.model import OpcUaAddress, Point
from igoudar.core.units import unit_of
from igoudar.simulators.devices import Firmware
from igoudar.simulators.faults import Fault, FaultKind

DEFAULT_NAMESPACE = "urn:igoudar:simulators"
PER_PARENT = 50  # nodes under one parent: asyncua slows down steeply beyond
REFRESH_S = 0.5  # wall time: every value is at most this old, on a site that allows it
DEVICES_AT_ONCE = 50  # refreshed in one go: the other protocols of the process are not kept waiting
BUSY_LIMIT = 0.15  # of the process's time for refreshing

# Tells a refresh from a client's write: each client is served in a context of its own.
_OURS: ContextVar[bool] = ContextVar("ours", default=False)

# Behind one OPC UA server a device's fault shows as the status of its values.
_FAULT_STATUS: Mapping[FaultKind, int] = {
    FaultKind.DEAD: StatusCodes.BadCommunicationError,
    FaultKind.SLOW: StatusCodes.UncertainLastUsableValue,
    FaultKind.LATE: StatusCodes.BadTimeout,
    FaultKind.BUSY: StatusCodes.BadResourceUnavailable,
    FaultKind.GARBAGE: StatusCodes.BadDecodingError,
    FaultKind.WRONG_UNIT: StatusCodes.BadDeviceFailure,
}


class Shown(ua.DataValue):
    """A value that nobody changes: asyncua copies it for every monitored item, at great cost."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> "Shown":
        return self


class Variable(NamedTuple):
    """One point as a node."""

    firmware: Firmware
    point: Point
    address: OpcUaAddress
    node: ua.NodeId
    type: ua.VariantType


class OpcUaServer:
    """Serves OPC UA devices on a free loopback port, without security, while the context is open.

    Args:
        devices: Firmware by tag; the tag is the device's object name.
        now: Site time, UTC: the source timestamp.
        fault: Tells the fault of a device by name, None when it works.
    """

    def __init__(
        self,
        devices: Mapping[str, Firmware],
        now: Callable[[], datetime],
        fault: Callable[[str], Fault | None],
    ) -> None:
        self.port = 0
        self._devices, self._now, self._fault = devices, now, fault
        self._server = Server()
        self._variables: dict[str, list[Variable]] = {}  # by tag
        self._refresher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        _quiet()
        await self._server.init()
        self._server.set_endpoint("opc.tcp://127.0.0.1:0/")
        self._server.set_server_name("igoudar simulators")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        await self._build()
        await self.refresh()
        await self._server.start()
        assert self._server.bserver is not None  # noqa: S101  # set by start
        self.port = self._server.bserver.port
        self._refresher = asyncio.create_task(self._keep_fresh(), name="opcua refresh")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._refresher is not None:
            self._refresher.cancel()
            await asyncio.gather(self._refresher, return_exceptions=True)
        await self._server.stop()

    async def refresh(self) -> None:
        """Show every device's values as of now; a device with a fault shows its status instead."""
        await self._refresh(self._variables)

    async def _refresh(self, devices: Iterable[str]) -> None:
        at = self._now()
        for tag in devices:
            values, fault = self._devices[tag].values(), self._fault(self._devices[tag].device.name)
            for variable in self._variables[tag]:
                value = _data_value(variable, values.get(variable.point.name), at, fault)
                await self._show(variable.node, value)

    async def _keep_fresh(self) -> None:
        """Refresh group after group, each in its share of REFRESH_S, or slower on a large site."""
        tags = list(self._variables)
        groups = [tags[start : start + DEVICES_AT_ONCE] for start in range(0, len(tags), DEVICES_AT_ONCE)]
        for group in cycle(groups):
            began_s = time.monotonic()
            await self._refresh(group)
            cost_s = time.monotonic() - began_s
            await asyncio.sleep(max(REFRESH_S / len(groups) - cost_s, cost_s / BUSY_LIMIT - cost_s))

    async def _show(self, node: ua.NodeId, value: ua.DataValue) -> None:
        token = _OURS.set(True)
        try:
            await self._server.write_attribute_value(node, value)
        finally:
            _OURS.reset(token)

    async def _build(self) -> None:
        tags = list(self._devices)
        for start in range(0, len(tags), PER_PARENT):
            await self._build_group(start // PER_PARENT, tags[start : start + PER_PARENT])

    async def _build_group(self, number: int, tags: Sequence[str]) -> None:
        space = await self._server.register_namespace(_namespace(self._devices[tags[0]]))
        name = f"Devices{number}"
        folder = await self._server.nodes.objects.add_folder(_node(name, space), f"{space}:{name}")
        for tag in tags:
            await self._build_device(folder, tag, self._devices[tag])

    async def _build_device(self, folder: Node, tag: str, firmware: Firmware) -> None:
        space = await self._server.register_namespace(_namespace(firmware))
        thing = await folder.add_object(_node(tag, space), ua.QualifiedName(tag, space))
        parent = thing
        for number, point in enumerate(firmware.profile.points.values()):
            if number and number % PER_PARENT == 0:
                more = f"{tag}.More{number // PER_PARENT}"
                parent = await thing.add_object(_node(more, space), ua.QualifiedName(more, space))
            await self._build_variable(parent, tag, firmware, point, space)

    async def _build_variable(
        self, parent: Node, tag: str, firmware: Firmware, point: Point, space: int
    ) -> None:
        address = point.address
        assert isinstance(address, OpcUaAddress), point.name  # noqa: S101  # a caller's mistake, not input
        identifier = _node(f"{tag}.{address.path}", space)
        whole = unit_of(point.name) == "state"
        kind = ua.VariantType.Int32 if whole else ua.VariantType.Double
        node = await parent.add_variable(identifier, ua.QualifiedName(address.path, space), 0, kind)
        variable = Variable(firmware, point, address, identifier, kind)
        self._variables.setdefault(tag, []).append(variable)
        if point.writable:
            await node.set_writable()
            self._server.set_attribute_value_setter(identifier, self._setter(variable))

    def _setter(self, variable: Variable) -> Callable[[Any, AttributeIds, ua.DataValue], None]:
        def take(data: Any, attribute: AttributeIds, value: ua.DataValue) -> None:
            if not _OURS.get():
                value = self._taken(variable, value)
            data.attributes[attribute].value = value

        return take

    def _taken(self, variable: Variable, value: ua.DataValue) -> ua.DataValue:
        """Hand a client's value to the firmware, as the device's own check allows."""
        raw = value.Value.Value if value.Value is not None else None
        limits = variable.point.writable
        if limits is None or not isinstance(raw, int | float):
            raise BadTypeMismatch
        wanted = raw * variable.address.scale + variable.address.offset
        if not limits.minimum <= wanted <= limits.maximum:
            raise BadOutOfRange
        try:
            variable.firmware.write(variable.point.name, wanted)
        except IgoudarError as error:
            raise BadDeviceFailure from error
        return _shown(variable, raw, StatusCodes.Good, self._now())


def _namespace(firmware: Firmware) -> str:
    return firmware.profile.namespace or DEFAULT_NAMESPACE


def _data_value(variable: Variable, value: float | None, at: datetime, fault: Fault | None) -> ua.DataValue:
    code = StatusCodes.Good if fault is None else _FAULT_STATUS.get(fault.kind, StatusCodes.BadDeviceFailure)
    if value is None:
        code = StatusCodes.BadNoData if fault is None else code
        value = 0.0
    raw = (value - variable.address.offset) / variable.address.scale
    return _shown(variable, raw, code, at)


def _shown(variable: Variable, raw: float, code: int, at: datetime) -> ua.DataValue:
    number = round(raw) if variable.type is ua.VariantType.Int32 else float(raw)
    status = ua.StatusCode(ua.UInt32(code))
    # asyncua packs any datetime; only its annotation asks for a class of its own.
    stamp = cast("ua.DateTime", at)
    return Shown(ua.Variant(number, variable.type), StatusCode=status, SourceTimestamp=stamp)


def _node(name: str, space: int) -> ua.NodeId:
    return ua.NodeId(ua.String(name), ua.Int16(space))


def _quiet() -> None:
    """Keep asyncua from logging what is meant here: no security on loopback, and refused writes."""
    for name in ("asyncua.server.server", "asyncua.server.uaprocessor", "asyncua.common.address_space"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("asyncua").setLevel(logging.ERROR)
