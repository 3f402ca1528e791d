"""A device's answers as a document: raw and decoded, for replay in tests; nothing in it names the device.

Only registers, metrics and nodes that the profile decodes are kept, so that serial numbers, which no profile
reads, can't be among them; labels of metrics and addresses of hosts are left out as well.
"""

from collections.abc import Mapping
from typing import Any

from igoudar.collectors import codec, sunspec
from igoudar.collectors.faults import DeviceFault
from igoudar.collectors.modbus_reader import ModbusReader
from igoudar.collectors.probe.found import flags_json
from igoudar.collectors.prometheus import PrometheusReader
from igoudar.collectors.readers import Reader, Values
from igoudar.collectors.redfish import Documents, RedfishReader
from igoudar.collectors.redfish_json import pruned
from igoudar.collectors.spans import Block, factor_span, value_span
from igoudar.collectors.sunspec import Chain
from igoudar.collectors.tape import Tape
from igoudar.core.model import MetricAddress, OpcUaAddress, Profile, Reason, RedfishAddress

SCHEMA = 1
HOLDING = 3


async def dump(profile: Profile, reader: Reader) -> dict[str, Any]:
    """Read a device once and describe what it answered.

    Raises:
        LinkFault: it gave no values, and why.
    """
    raw: dict[str, Any]
    if isinstance(reader, ModbusReader):
        tape, values = await reader.taped()
        raw = {"reads": await _reads(profile, tape)}
    elif isinstance(reader, PrometheusReader):
        samples = await reader.samples()
        values = reader.decode(samples)
        raw = {"samples": _samples(profile, samples)}
    elif isinstance(reader, RedfishReader):
        documents = await reader.documents(slow=True)
        values = reader.decode(documents, slow=True)
        raw = {"resources": _resources(profile, documents)}
    else:
        values = await reader.read(slow=True)
        raw = {"nodes": _nodes(profile, values)}
    head = {"schema": SCHEMA, "profile": profile.name, "protocol": profile.protocol}
    return {**head, **raw, "values": dict(values.values), "flags": flags_json(values.flags)}


async def _reads(profile: Profile, tape: Tape) -> list[dict[str, Any]]:
    """Every request with its answer; registers that decode to nothing read as 0."""
    kept = await _decoded_registers(profile, tape)
    return [_request(asked, answer, kept) for asked, answer in sorted(tape.answers.items())]


def _request(asked: Block, answer: bytes | int, kept: set[tuple[int, int]]) -> dict[str, Any]:
    head = asked._asdict()
    if isinstance(answer, int):
        return {**head, "exception": answer}
    words = [answer[i : i + 2] for i in range(0, len(answer), 2)]
    shown = [w if (asked.function, asked.address + i) in kept else b"\0\0" for i, w in enumerate(words)]
    return {**head, "registers": b"".join(shown).hex(" ", 2)}


async def _decoded_registers(profile: Profile, tape: Tape) -> set[tuple[int, int]]:
    """(function, address) of all registers that a point, a scale factor or the chain of models stands in."""
    chain = await _chain(profile, tape)
    models = {model.number: model.address for model in reversed(chain.models)} if chain else {}
    kept = {(HOLDING, address) for address in _chain_registers(chain)} if chain else set()
    for point in profile.points.values():
        for span in filter(None, (value_span(point, models), factor_span(point, models))):
            kept |= {(span.function, address) for address in range(span.address, span.end)}
    return kept


async def _chain(profile: Profile, tape: Tape) -> Chain | None:
    """The models, from what is on the tape already."""

    async def recorded(address: int, count: int) -> bytes:
        answer = tape.answers[Block(HOLDING, address, count)]
        if isinstance(answer, int):
            raise DeviceFault(Reason.EXCEPTION, answer, "as recorded")
        return answer

    if profile.modbus.sunspec_base is None:
        return None
    bases = dict.fromkeys((profile.modbus.sunspec_base, *sunspec.BASES))
    return await sunspec.chain(recorded, bases)


def _chain_registers(chain: Chain) -> set[int]:
    ends = [model.address + model.length + 2 for model in chain.models[-1:]]
    heads = [chain.base, *(model.address for model in chain.models), *ends]
    return {address + i for address in heads for i in (0, 1)}


def _samples(profile: Profile, samples: Mapping[bytes, list[float]]) -> dict[str, list[float]]:
    addresses = (point.address for point in profile.points.values())
    names = sorted({a.metric for a in addresses if isinstance(a, MetricAddress)})
    return {name: samples[name.encode()] for name in names if name.encode() in samples}


def _resources(profile: Profile, documents: Documents) -> dict[str, Any]:
    """Only the properties that the profile decodes; a resource that was refused is left out."""
    addresses = [p.address for p in profile.points.values() if isinstance(p.address, RedfishAddress)]
    return {
        resource: pruned(document, [a.pointer for a in addresses if a.resource == resource])
        for resource, document in documents.items()
        if not isinstance(document, Reason)
    }


def _nodes(profile: Profile, values: Values) -> dict[str, float]:
    """The numbers that the nodes show, by their path below the device; those without a value are left out."""
    return {
        point.address.path: codec.to_raw(point, values.values[name])
        for name, point in profile.points.items()
        if isinstance(point.address, OpcUaAddress) and name in values.values
    }
