"""Who outside a site may ask it for less power: a grid operator's broker, a signed webhook."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dsx:
    """NVIDIA DSX Flex over MQTT; without an `identifier` there is none.

    Files are PEM for TLS, JWKS for the keys that sign (`keys_file`: whose targets are believed; `seal_file`:
    our private key for what we publish, "" = unsigned).
    """

    identifier: str = ""
    host: str = ""
    port: int = 8883
    ca: str = ""
    certificate: str = ""
    key: str = ""
    user_file: str = ""
    password_file: str = ""
    tls: bool = True
    keys_file: str = ""
    algorithms: tuple[str, ...] = ("ES256", "EdDSA")
    seal_file: str = ""
    feeds: tuple[str, ...] = ()  # feed tags that mean this site; () = all
    oldest_s: float = 300.0  # a target sent longer ago is not taken
    status_s: float = 60.0  # between two reports of the power state


@dataclass(frozen=True, slots=True)
class Webhook:
    """A caller that signs its body with a shared secret; without a file there is none."""

    secret_file: str = ""
    who: str = "webhook"
    oldest_s: float = 300.0
