"""What the API and the audit know of a site: where they are, and who may call."""

from dataclasses import dataclass, field
from ipaddress import ip_address

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Auditing:
    """What the audit needs; sizes in bytes of free space."""

    anchor_file: str = ""  # on another disk; "" = in the state folder only
    low_bytes: int = 1000 * MEGABYTE  # a warning
    full_bytes: int = 100 * MEGABYTE  # automation begins nothing new
    url_file: str = ""  # of a PostgreSQL; "" = SQLite in the state folder


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the API listens; certificate and key are PEM files."""

    bind: str = "127.0.0.1"
    certificate: str = ""
    key: str = ""
    names: tuple[str, ...] = ()  # that people call this host by
    calls_per_s: float = 50.0  # of one token, on average
    burst: int = 200

    @property
    def public(self) -> bool:
        """Whether other hosts reach it."""
        return not loopback(self.bind)


@dataclass(frozen=True, slots=True)
class Oidc:
    """Whose signed tokens are believed, checked offline against the issuer's public keys."""

    issuer: str
    audience: str
    jwks_file: str
    algorithms: tuple[str, ...]
    name_claim: str
    groups_claim: str
    roles: tuple[tuple[str, str], ...]  # (group, role)


@dataclass(frozen=True, slots=True)
class People:
    """Who else may call."""

    oidc: Oidc | None = field(default=None)


def loopback(host: str) -> bool:
    """Whether only this host can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
