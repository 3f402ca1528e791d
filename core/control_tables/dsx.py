"""`[dsx]` and `[webhook]`: who outside the site may ask it for less power."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from igoudar.core.control_tables.people import Algorithm, HostName
from igoudar.core.errors import ConfigError
from igoudar.core.model_dsx import Dsx, Webhook
from igoudar.core.model_people import loopback
from igoudar.core.site_words import AbsoluteFile, DurationS, Table, Words

# It becomes a level of a topic: no level of its own, no wildcard.
Identifier = Annotated[str, Field(max_length=100, pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$")]
PATHS = ("ca", "certificate", "key", "user_file", "password_file", "keys_file", "seal_file")


def _algorithms() -> list[Algorithm]:
    return ["ES256", "EdDSA"]


class DsxTable(Table):
    """`[dsx]`."""

    identifier: Identifier = ""
    host: HostName | None = None
    port: int = Field(default=8883, ge=1, le=65_535)
    tls: bool = True
    reason: Words = ""  # why there is no TLS
    ca: AbsoluteFile = ""
    certificate: AbsoluteFile = ""
    key: AbsoluteFile = ""
    user_file: AbsoluteFile = ""
    password_file: AbsoluteFile = ""
    keys_file: AbsoluteFile = ""
    algorithms: list[Algorithm] = Field(default_factory=_algorithms, min_length=1)
    seal_file: AbsoluteFile = ""
    feeds: list[Words] = Field(default_factory=list)
    oldest: Annotated[DurationS, Field(ge=10, le=3600)] = 300.0
    status: Annotated[DurationS, Field(ge=1, le=3600)] = 60.0


class WebhookTable(Table):
    """`[webhook]`; the window of five minutes is the longest that a repeated call may fall into."""

    secret_file: AbsoluteFile = ""
    who: Annotated[Words, Field(min_length=1, max_length=60)] = "webhook"
    oldest: Annotated[DurationS, Field(ge=10, le=300)] = 300.0


def dsx(table: DsxTable) -> Dsx:
    """The model of `[dsx]`."""
    return Dsx(
        identifier=table.identifier,
        host=table.host or "",
        port=table.port,
        tls=table.tls,
        algorithms=tuple(table.algorithms),
        feeds=tuple(table.feeds),
        oldest_s=table.oldest,
        status_s=table.status,
        **{name: getattr(table, name) for name in PATHS},
    )


def webhook(table: WebhookTable) -> Webhook:
    """The model of `[webhook]`."""
    return Webhook(table.secret_file, table.who, table.oldest)


def check_dsx(table: DsxTable, where: str) -> Iterator[ConfigError]:
    """A broker needs an address, keys to believe, and protection on its way."""
    if not table.identifier:
        return
    origin = f"{where}: dsx"
    if table.host is None:
        yield ConfigError("the broker has no host", where=origin, fix='add host = "mqtt.grid.example"')
    if not table.keys_file:
        fix = 'add keys_file = "/etc/igoudar/grid.jwks": the public keys whose targets are believed'
        yield ConfigError("nobody's signature would be believed", where=origin, fix=fix)
    if not table.tls and not loopback(table.host or "") and not table.reason:
        fix = "leave tls on, or give the reason why not"
        yield ConfigError("targets would cross a network in the clear", where=f"{origin}.tls", fix=fix)
    if bool(table.certificate) != bool(table.key):
        yield ConfigError(
            "a certificate needs its key, and a key its certificate", where=origin, fix="give both"
        )
