"""How one OPC UA server is entered and left: security, user, and never more than one session."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.trust import FOLDER, TrustStore
from igoudar.core.errors import ConfigError
from igoudar.core.model import OpcUaServer, Reason

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.client.client import Client

CONNECT_S = 10.0
REQUEST_S = 4.0
PROBE_S = 10.0  # a server at full load lags by seconds; the age of its data tells sooner
SESSION_S = 30.0  # how long a server keeps a session that a dead connection left behind
OLDEST_MS = 10 * 365 * 86_400_000
POLICY = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"
SITE_FILE_FIX = 'an exception stands in the site file: [[links.opcua]] with security = "none" and a reason'


class Door:
    """Opens sessions on one server, each closed before the next is opened.

    Args:
        url: `opc.tcp://host:port`.
        server: What the site says of it; without a word, only loopback is spoken to in the clear.
        trust: The certificate store; needed for an encrypted link.
        memory: A file that remembers the open session, so that one left behind by a lost connection or a
            killed process is taken back and closed, instead of filling the server's last places.
    """

    def __init__(
        self,
        url: str,
        server: OpcUaServer | None = None,
        trust: TrustStore | None = None,
        memory: Path | None = None,
    ) -> None:
        self.url, self.secured = url, _secured(url, server)
        self._server, self._memory = server, memory
        if self.secured and trust is None:
            raise ConfigError(
                "an encrypted link needs a certificate store", where=url, fix="give a state folder"
            )
        self._trust = trust
        self._shown = b""  # the server's certificate

    def check(self) -> None:
        """Whether the server may still be spoken to: a person may take trust back at any time.

        Raises:
            LinkFault: its certificate is not trusted, or not valid, any more.
        """
        if self._trust is not None and self._shown:
            self._trust.check(self._shown, self.url)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Client"]:
        """A connected client with an active session; closed on leaving."""
        await self._reclaim()
        client = self._client()
        try:
            await self._connect(client)
            yield client
        finally:
            await self._leave(client)

    async def _reclaim(self) -> None:
        """End the session that was left behind, if there is one."""
        if self._memory is None or not self._memory.exists():
            return
        client = self._client()
        client.session_timeout = OLDEST_MS  # asyncua gives up a session by the age of its beginning
        try:
            await self._connect(client)
        finally:
            await self._leave(client)

    def _client(self) -> "Client":
        from asyncua.client.client import Client

        client = Client(self.url, timeout=REQUEST_S, watchdog_intervall=PROBE_S)
        client.name = client.description = "igoudar collector"
        client.session_timeout = int(1000 * SESSION_S)
        client.session_state_path = self._memory
        return client

    async def _connect(self, client: "Client") -> None:
        async with asyncio.timeout(CONNECT_S):
            if self.secured:
                await self._secure(client)
            self._identify(client)
            await client.connect()

    async def _secure(self, client: "Client") -> None:
        """Encrypt with the server's own certificate, once it is known to be trusted."""
        from asyncua import ua
        from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

        assert self._trust is not None  # noqa: S101 - checked at construction
        own = self._trust.own()
        client.application_uri = own.facts.uri
        self._shown = self._chosen(await client.connect_and_get_server_endpoints())
        self.check()
        await client.set_security(
            SecurityPolicyBasic256Sha256,
            str(own.certificate),
            str(own.key),
            server_certificate=self._shown,
            mode=ua.MessageSecurityMode.SignAndEncrypt,
        )

    def _chosen(self, endpoints: "list[ua.EndpointDescription]") -> bytes:
        """The certificate of the endpoint that signs and encrypts."""
        from asyncua import ua

        for endpoint in endpoints:
            encrypts = endpoint.SecurityMode == ua.MessageSecurityMode.SignAndEncrypt
            if encrypts and endpoint.SecurityPolicyUri == POLICY and endpoint.ServerCertificate:
                return _first(endpoint.ServerCertificate)
        what = "the server offers no SignAndEncrypt with Basic256Sha256"
        raise LinkFault(Reason.NO_CONNECTION, what, where=self.url, fix=SITE_FILE_FIX)

    def _identify(self, client: "Client") -> None:
        if self._server is not None and self._server.user_file:
            client.set_user(_secret(self._server.user_file))
            client.set_password(_secret(self._server.password_file))

    async def _leave(self, client: "Client") -> None:
        """Close the session and forget it; one that can't be closed now stays remembered."""
        from asyncua.client.ua_client import UaClientState

        alive = client.state is UaClientState.CONNECTED
        try:
            async with asyncio.timeout(REQUEST_S):
                await client.close_session()
                if alive and self._memory is not None:
                    self._memory.unlink(missing_ok=True)
                await client.close_secure_channel()
        except Exception:  # noqa: BLE001, S110 - whatever a dying connection raises, it is being dropped
            pass
        finally:
            client.disconnect_socket()


class Doors:
    """The ways into all OPC UA servers of a site.

    Args:
        servers: What the site says of some of them.
        state: The state folder, for certificates and open sessions; None = loopback only, nothing remembered.
    """

    def __init__(self, servers: Sequence[OpcUaServer] = (), state: Path | None = None) -> None:
        self._servers = {server.server: server for server in servers}
        self._state = state

    def to(self, url: str) -> Door:
        """The way into the server at `opc.tcp://host:port`.

        Raises:
            ConfigError: it must be encrypted, and there is no state folder.
        """
        if self._state is None:
            return Door(url, self._servers.get(url))
        sessions = self._state / "sessions"
        memory = sessions / (quote(url.removeprefix("opc.tcp://"), safe="") + ".json")
        return Door(url, self._servers.get(url), TrustStore(self._state / FOLDER), memory)


def is_loopback(url: str) -> bool:
    """Whether an address can't leave this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secured(url: str, server: OpcUaServer | None) -> bool:
    return server.security != "none" if server is not None else not is_loopback(url)


def _first(chain: bytes) -> bytes:
    """The server's own certificate, which leads its chain."""
    return chain[: int.from_bytes(chain[2:4]) + 4]


def _secret(path: str) -> str:
    """The first line of a file that others can't read."""
    fix = "put it in a file that only this user can read (chmod 600)"
    try:
        file = Path(path).expanduser()
        if file.stat().st_mode & 0o007:
            raise ConfigError("a secret that everybody can read", where=path, fix=fix)
        return file.read_text(encoding="utf-8").split("\n", 1)[0].strip("\r")
    except (OSError, ValueError) as error:
        raise ConfigError(f"a secret can't be read ({error})", where=path, fix=fix) from error
