"""`[caps]`: the cap agents of a site's GPU nodes, and how low a GPU may be capped."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Annotated

from pydantic import Field

from igoudar.core.errors import ConfigError
from igoudar.core.model_caps import CapAgent, Capping
from igoudar.core.pattern import parse_pattern, parse_template
from igoudar.core.site_words import AbsoluteFile, DurationS, PowerW, Table, Words
from igoudar.core.strict_toml import nearest

Url = Annotated[str, Field(max_length=300, pattern=r"^https://[^\s/@?#]+$")]
WHERE = "caps"


class AgentEntry(Table):
    """Agents of one kind; `node` is a pattern whose variables the other texts may use."""

    node: Annotated[Words, Field(min_length=1)]
    url: Url
    racks: list[Words] = Field(min_length=1)
    gpus: int = Field(default=4, ge=1, le=64)


class CapsTable(Table):
    """The whole table; without agents there is nothing to say."""

    ca: AbsoluteFile = ""
    certificate: AbsoluteFile = ""
    key: AbsoluteFile = ""
    minimum: PowerW = 0.0
    default: PowerW = 0.0
    life: Annotated[DurationS, Field(ge=30, le=7 * 86_400)] = 900.0
    agents: list[AgentEntry] = Field(default_factory=list)


def capping(table: CapsTable) -> Capping:
    """The model of `[caps]`."""
    return Capping(
        agents=tuple(_agents(table, WHERE)),
        ca=table.ca,
        certificate=table.certificate,
        key=table.key,
        minimum_w=table.minimum,
        default_w=table.default,
        life_s=table.life,
    )


def check_caps(table: CapsTable, racks: Collection[str], where: str) -> Iterator[ConfigError]:
    """What is wrong with `[caps]`, given the names of the site's racks."""
    if not table.agents:
        return
    origin = f"{where}: {WHERE}"
    for key in ("ca", "certificate", "key"):
        if not getattr(table, key):
            fix = f'add {key} = "/etc/igoudar/..." (docs/caps.md)'
            yield ConfigError("agents ask for certificates", where=f"{origin}.{key}", fix=fix)
    if not 0 < table.minimum < table.default:
        fix = "give the lowest cap of a GPU, and the limit that it has without one"
        yield ConfigError("minimum has to be below default, and above 0", where=origin, fix=fix)
    yield from _wrong(table, racks, origin)


def _wrong(table: CapsTable, racks: Collection[str], origin: str) -> Iterator[ConfigError]:
    try:
        agents = list(_agents(table, origin))
    except ConfigError as error:
        yield error
        return
    for key in ("node", "url"):
        for name, times in Counter(getattr(agent, key) for agent in agents).items():
            if times > 1:
                what = f"{times} agents have the {key} {name!r}"
                yield ConfigError(what, where=f"{origin}.agents", fix="give each its own")
    for rack in dict.fromkeys(rack for agent in agents for rack in agent.racks):
        if rack not in racks:
            fix = nearest(rack, racks, "rack")
            yield ConfigError(f"there is no rack {rack!r}", where=f"{origin}.agents", fix=fix)


def _agents(table: CapsTable, where: str) -> Iterator[CapAgent]:
    for number, entry in enumerate(table.agents, 1):
        path = f"{where}.agents[{number}]"
        pattern = parse_pattern(entry.node, f"{path}.node")
        url = parse_template(entry.url, pattern.variables, f"{path}.url")
        racks = [parse_template(text, pattern.variables, f"{path}.racks") for text in entry.racks]
        for binding in pattern.bindings():
            places = tuple([rack(binding) for rack in racks])
            yield CapAgent(pattern.template(binding), url(binding), places, entry.gpus)
