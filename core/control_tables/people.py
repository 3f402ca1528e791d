"""`[api]` and `[people]`: where the API listens, and who else may call it."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from igoudar.core.errors import ConfigError
from igoudar.core.model_people import Listening, Oidc, People, loopback
from igoudar.core.site_words import AbsoluteFile, Table, Words

RoleWord = Literal["viewer", "operator", "supervisor", "admin"]
# Only public keys: a shared secret in a key file would let whoever reads it make tokens; never "none".
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
USUAL: tuple[Algorithm, ...] = ("RS256", "ES256")
HostName = Annotated[Words, Field(min_length=1, pattern=r"^[A-Za-z0-9.:_-]+$")]


class ApiTable(Table):
    """`[api]`."""

    bind: HostName = "127.0.0.1"
    certificate: AbsoluteFile = ""
    key: AbsoluteFile = ""
    names: list[HostName] = Field(default_factory=list)
    calls_per_s: float = Field(default=50.0, gt=0, le=10_000)
    burst: int = Field(default=200, ge=1, le=100_000)


class OidcTable(Table):
    """`[people.oidc]`."""

    issuer: Annotated[Words, Field(min_length=1)]
    audience: Annotated[Words, Field(min_length=1)]
    jwks_file: Annotated[AbsoluteFile, Field(min_length=1)]
    algorithms: list[Algorithm] = Field(default_factory=lambda: list(USUAL), min_length=1)
    name_claim: Words = "preferred_username"
    groups_claim: Words = "groups"
    roles: dict[Words, RoleWord] = Field(default_factory=dict)


class PeopleTable(Table):
    """`[people]`."""

    oidc: OidcTable | None = None


def listening(table: ApiTable) -> Listening:
    """The model of `[api]`."""
    return Listening(
        bind=table.bind,
        certificate=table.certificate,
        key=table.key,
        names=tuple(table.names),
        calls_per_s=table.calls_per_s,
        burst=table.burst,
    )


def people(table: PeopleTable) -> People:
    """The model of `[people]`."""
    if table.oidc is None:
        return People()
    return People(
        Oidc(
            issuer=table.oidc.issuer,
            audience=table.oidc.audience,
            jwks_file=table.oidc.jwks_file,
            algorithms=tuple(table.oidc.algorithms),
            name_claim=table.oidc.name_claim,
            groups_claim=table.oidc.groups_claim,
            roles=tuple(table.oidc.roles.items()),
        )
    )


def check_api(table: ApiTable, where: str) -> Iterator[ConfigError]:
    """An API that other hosts reach speaks TLS, or does not start."""
    if bool(table.certificate) != bool(table.key):
        yield ConfigError(
            "a certificate needs its key, and a key its certificate", where=f"{where}: api", fix="give both"
        )
    elif not loopback(table.bind) and not table.certificate:
        yield ConfigError(
            f"{table.bind} is reached by other hosts, and there is no TLS",
            where=f"{where}: api.bind",
            fix="give certificate and key, or bind to 127.0.0.1",
        )
