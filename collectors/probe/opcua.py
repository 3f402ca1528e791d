"""OPC UA: browse the server for devices whose nodes are those of a profile."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from igoudar.collectors.endpoints import Address
from igoudar.collectors.opcua_values import Sample, classified, sample
from igoudar.collectors.probe.found import Found, best, fit
from igoudar.collectors.probe.modbus import PAUSE_S
from igoudar.collectors.readers import Values
from igoudar.core.model import OpcUaAddress, Profile, Quality

if TYPE_CHECKING:  # asyncua costs a second of CPU to import
    from asyncua import ua
    from asyncua.client.client import Client

MOST_NODES = 5000  # browsed: enough for a plant of this size, and an end to a server without one
Names = Mapping[tuple[str, str], "ua.NodeId"]
"""Variables by namespace URI and string identifier."""


async def look(address: Address, profiles: Iterable[Profile], timeout_s: float) -> list[Found]:
    """Every device of a known profile on a server.

    Raises:
        LinkFault: the server does not answer, or refuses a guest.
    """
    from asyncua.client.client import Client

    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    client = Client(address.server, timeout=timeout_s)
    with classified(address.server):
        async with client:
            names = await _browse(client)
            pairs = _candidates(names, [p for p in profiles if p.protocol == "opcua"])
            return [await _held(client, names, address.server, tag, fitting) for tag, fitting in pairs]


async def _browse(client: "Client") -> Names:
    """Variables by namespace and string identifier, breadth first from the Objects folder."""
    from asyncua import ua

    namespaces = await client.get_namespace_array()
    names: dict[tuple[str, str], ua.NodeId] = {}
    seen, queue = set[ua.NodeId](), [client.nodes.objects]
    while queue and len(seen) < MOST_NODES:
        for child in await queue.pop(0).get_children_descriptions():
            identifier = child.NodeId
            if identifier in seen or not identifier.NamespaceIndex:
                continue  # namespace 0 is the server's own
            seen.add(identifier)
            if child.NodeClass is ua.NodeClass.Object:
                queue.append(client.get_node(identifier))
            elif isinstance(identifier.Identifier, str):
                names[namespaces[identifier.NamespaceIndex], identifier.Identifier] = identifier
        await asyncio.sleep(PAUSE_S)
    return names


def _candidates(
    names: Iterable[tuple[str, str]], profiles: Sequence[Profile]
) -> list[tuple[str, list[Profile]]]:
    """Tags with the profiles of which at least one node is there."""
    found: dict[str, list[Profile]] = {}
    for namespace, identifier in names:
        for profile in profiles:
            for tag in _tags(profile, namespace, identifier):
                fitting = found.setdefault(tag, [])
                fitting += [] if profile in fitting else [profile]
    return sorted(found.items())


def _tags(profile: Profile, namespace: str, identifier: str) -> Iterator[str]:
    if profile.namespace != namespace:
        return
    for point in profile.points.values():
        if isinstance(point.address, OpcUaAddress) and identifier.endswith(f".{point.address.path}"):
            yield identifier.removesuffix(f".{point.address.path}")


async def _held(client: "Client", names: Names, server: str, tag: str, profiles: Sequence[Profile]) -> Found:
    fits = []
    for profile in profiles:
        fits.append(fit(profile, await _read(client, names, tag, profile)))
        await asyncio.sleep(PAUSE_S)
    return Found(f"{server}/{tag}", fits=best(fits))


async def _read(client: "Client", names: Names, tag: str, profile: Profile) -> Values:
    from asyncua.ua.attribute_ids import AttributeIds

    pairs = [
        (point, names[key])
        for point in profile.points.values()
        if isinstance(point.address, OpcUaAddress)
        and (key := (profile.namespace, f"{tag}.{point.address.path}")) in names
    ]
    nodes = [node for _, node in pairs]
    answers = await client.uaclient.session.read_attributes(nodes, AttributeIds.Value)
    samples = {p.name: sample(p, answer) for (p, _), answer in zip(pairs, answers, strict=True)}
    return _values(samples)


def _values(samples: Mapping[str, Sample]) -> Values:
    values = {name: s.value for name, s in samples.items() if s.value is not None}
    flags = {name: (s.quality, s.reason) for name, s in samples.items() if s.quality is not Quality.GOOD}
    return Values(values, flags)
