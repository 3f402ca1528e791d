"""The agent's own file: where it listens, who may ask, and what no request passes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from igoudar.core.errors import ConfigError
from igoudar.core.site_words import AbsoluteFile, DurationS, PowerW, Table
from igoudar.core.strict_toml import bind, read_toml

PORT = 8470
NAME = r"^[^\s\x00-\x1f\x7f]{1,200}$"


class AgentFile(Table):
    """What may stand in the file."""

    listen: Annotated[str, Field(max_length=200, pattern=r"^(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):[0-9]{1,5}$")]
    certificate: Annotated[AbsoluteFile, Field(min_length=1)]
    key: Annotated[AbsoluteFile, Field(min_length=1)]
    client_ca: Annotated[AbsoluteFile, Field(min_length=1)]
    clients: list[Annotated[str, Field(pattern=NAME)]] = Field(min_length=1)
    state: Annotated[AbsoluteFile, Field(min_length=1)] = "/var/lib/igoudar/cap-agent"
    minimum: PowerW
    maximum: PowerW
    default: PowerW | None = None
    longest: DurationS = 3_600.0
    verify: DurationS = 10.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site lets be done to a GPU; NVML's own limits are narrower still."""

    minimum_w: float
    maximum_w: float
    default_w: float | None = None  # None = the GPU's own
    longest_s: float = 3_600.0  # a cap's longest life
    verify_s: float = 10.0  # between looks at what the GPUs really hold


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The whole file, ready for use."""

    host: str
    port: int
    certificate: Path
    key: Path
    client_ca: Path
    clients: frozenset[str]
    state: Path
    rules: Rules


def load_config(path: Path) -> AgentConfig:
    """Read the agent's file.

    Raises:
        ConfigError: names the file, the key and what to do.
    """
    file = bind(read_toml(path), AgentFile, str(path))
    _check(file, str(path))
    host, _, port = file.listen.rpartition(":")
    return AgentConfig(
        host=host.strip("[]"),
        port=int(port),
        certificate=Path(file.certificate).expanduser(),
        key=Path(file.key).expanduser(),
        client_ca=Path(file.client_ca).expanduser(),
        clients=frozenset(file.clients),
        state=Path(file.state).expanduser(),
        rules=Rules(file.minimum, file.maximum, file.default, file.longest, file.verify),
    )


def _check(file: AgentFile, where: str) -> None:
    if not 0 < file.minimum < file.maximum:
        fix = "give the lowest and the highest limit that a GPU may get"
        raise ConfigError("minimum has to be below maximum, and above 0", where=f"{where}: minimum", fix=fix)
    if file.default is not None and not file.minimum <= file.default <= file.maximum:
        fix = "leave it out for the GPU's own default"
        raise ConfigError("default is not within minimum and maximum", where=f"{where}: default", fix=fix)
    if not 1 <= file.verify <= 600:
        raise ConfigError("verify is not within 1s and 600s", where=f"{where}: verify", fix='write "10s"')
    if not 10 <= file.longest <= 7 * 86_400:
        raise ConfigError("longest is not within 10s and 7d", where=f"{where}: longest", fix='write "1h"')
    if int(file.listen.rpartition(":")[2]) > 65_535:
        raise ConfigError("there is no such port", where=f"{where}: listen", fix=f'write "0.0.0.0:{PORT}"')
