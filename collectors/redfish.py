"""One device behind a Redfish service: its resources read through its profile, its setpoints patched.

Source: DMTF DSP0266 (protocol), DSP8010 (schemas). A service has no reversion timer: what is set stays set.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from igoudar.collectors import codec
from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.readers import Permit, Values
from igoudar.collectors.redfish_json import change, decode, encode, number
from igoudar.collectors.redfish_link import BUSY, CHANGED_MEANWHILE, RedfishLink
from igoudar.core.model import Point, Profile, Quality, Reason, RedfishAddress

LATE_S, LOOKS = 0.2, 5  # wall: a change that was accepted for later is looked for so often

Documents = Mapping[str, Mapping[str, Any] | Reason]  # by resource; a reason where it was refused


class RedfishReader:
    """Reads and changes one chassis.

    Args:
        profile: The product.
        link: The way to its service.
        chassis: `/redfish/v1/Chassis/ID`.
    """

    def __init__(self, profile: Profile, link: RedfishLink, chassis: str) -> None:
        self._profile, self._link, self._chassis = profile, link, chassis
        points = profile.points.values()
        self._fast = _resources(point for point in points if not point.slow)
        self._all = _resources(points)

    async def read(self, *, slow: bool) -> Values:
        """See Reader."""
        return self.decode(await self.documents(slow=slow), slow=slow)

    async def documents(self, *, slow: bool) -> Documents:
        """The resources of one turn, as they stand.

        Raises:
            LinkFault: none was read, and why.
        """
        found: dict[str, Mapping[str, Any] | Reason] = {}
        refused: DeviceFault | None = None
        for resource in self._all if slow else self._fast:
            try:
                found[resource] = (await self._link.get(self._path(resource))).document
            except DeviceFault as fault:
                if fault.code == BUSY:
                    raise
                found[resource], refused = fault.reason, fault
        if refused and not any(isinstance(one, Mapping) for one in found.values()):
            raise refused
        return found

    def decode(self, documents: Documents, *, slow: bool) -> Values:
        """The profile's points in its resources.

        Raises:
            LinkFault: nothing of it is there.
        """
        points = [p for p in self._profile.points.values() if slow or not p.slow]
        decoded = {point.name: _decoded(point, documents) for point in points}
        values = {name: value for name, (value, _, _) in decoded.items() if value is not None}
        if not values:
            raise LinkFault(
                Reason.MISSING, "none of the profile's properties is there", where=self._link.where
            )
        return Values(values, {name: (q, r) for name, (_, q, r) in decoded.items() if q is not Quality.GOOD})

    async def ask(self, point: Point) -> float | None:
        """See Reader."""
        resource = await self._link.get(self._path(_address(point).resource), urgent=True)
        held, _, reason = decode(point, resource.document)
        if held is None and reason is not Reason.SENTINEL:
            raise LinkFault(reason, f"{point.name} has no good value", where=self._link.where)
        return held

    async def write(self, point: Point, value: float, permit: Permit) -> float:
        """See Reader. A resource that changed under our hands is read and changed once more."""
        try:
            wanted = encode(point, value)
        except ValueError as error:
            raise LinkFault(Reason.EXCEPTION, str(error), where=self._link.where) from error
        try:
            done = await self._change(point, wanted, permit)
        except DeviceFault as fault:
            if fault.code != CHANGED_MEANWHILE:
                raise
            done = await self._change(point, wanted, permit)
        shown = codec.from_raw(point, number(_address(point), wanted) or 0.0)[0]
        exact = value if shown is None else shown
        if not done:
            await self._until_held(point, exact)
        return exact

    async def _change(self, point: Point, wanted: Any, permit: Permit) -> bool:
        address = _address(point)
        path = self._path(address.resource)
        etag = (await self._link.get(path, urgent=True)).etag
        return await self._link.patch(path, change(address.pointer, wanted), etag, permit)

    async def _until_held(self, point: Point, value: float) -> None:
        """A change that was only accepted gets a moment; whether it came is for reading back to tell."""
        for _ in range(LOOKS):
            if await self.ask(point) == value:
                return
            await asyncio.sleep(LATE_S)

    def _path(self, resource: str) -> str:
        if resource.startswith("/"):
            return resource
        return f"{self._chassis}/{resource}" if resource else self._chassis


def _decoded(point: Point, documents: Documents) -> codec.Decoded:
    document = documents[_address(point).resource]
    if isinstance(document, Reason):
        return None, Quality.BAD, document
    return decode(point, document)


def _resources(points: Iterable[Point]) -> tuple[str, ...]:
    """What has to be asked for, each once, in the profile's order."""
    return tuple(dict.fromkeys(_address(point).resource for point in points))


def _address(point: Point) -> RedfishAddress:
    assert isinstance(point.address, RedfishAddress), point.name  # noqa: S101 - the protocol says so
    return point.address
