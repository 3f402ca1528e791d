"""The links of a site: how servers that devices share are reached and trusted."""

from collections.abc import Collection, Iterator

from igoudar.core.errors import ConfigError
from igoudar.core.model import OpcUaServer, RedfishLogin, TlsFiles
from igoudar.core.site_file import OpcUaEntry, RedfishTable, SiteFile, TlsEntry
from igoudar.core.strict_toml import nearest


def opcua_servers(file: SiteFile) -> tuple[OpcUaServer, ...]:
    """The OPC UA servers of which the file says something."""
    return tuple(
        OpcUaServer(entry.server, entry.security, entry.reason, entry.user_file, entry.password_file)
        for entry in file.links.opcua
    )


def tls_files(file: SiteFile) -> TlsFiles:
    """The model of `[links.tls]`."""
    table = file.links.tls
    return TlsFiles(table.ca, table.certificate, table.key, table.verify)


def redfish_login(file: SiteFile) -> RedfishLogin:
    """The model of `[links.redfish]`."""
    table = file.links.redfish
    return RedfishLogin(table.user_file, table.password_file, table.session)


def check_links(file: SiteFile, addresses: Collection[str], where: str) -> Iterator[ConfigError]:
    """What is wrong with the links, given the devices' addresses."""
    servers = {address.rsplit("/", 1)[0] for address in addresses if address.startswith("opc.tcp://")}
    named: set[str] = set()
    yield from _tls(file.links.tls, f"{where}: links.tls")
    yield from _redfish(file.links.redfish, addresses, f"{where}: links.redfish")
    for number, entry in enumerate(file.links.opcua, 1):
        origin = f"{where}: links.opcua[{number}]"
        if entry.server in named:
            what = f"{entry.server!r} stands here twice"
            yield ConfigError(what, where=f"{origin}.server", fix="keep one entry")
        elif entry.server not in servers and not file.members:
            what = f"no device is at {entry.server!r}"
            yield ConfigError(what, where=f"{origin}.server", fix=nearest(entry.server, servers, "server"))
        named.add(entry.server)
        yield from _opcua(entry, origin)


def _opcua(entry: OpcUaEntry, origin: str) -> Iterator[ConfigError]:
    if entry.security == "none" and not entry.reason:
        fix = "write `reason`: why this server can't, and what protects the wire instead"
        yield ConfigError("an exception without a reason", where=f"{origin}.reason", fix=fix)
    if bool(entry.user_file) != bool(entry.password_file):
        fix = "give both `user_file` and `password_file`, or neither"
        yield ConfigError("a user needs a name and a password", where=origin, fix=fix)
    if entry.security == "none" and entry.password_file:
        fix = 'use security = "sign-and-encrypt", or no user'
        yield ConfigError("a password is never sent in the clear", where=f"{origin}.password_file", fix=fix)


def _redfish(entry: RedfishTable, addresses: Collection[str], origin: str) -> Iterator[ConfigError]:
    if bool(entry.user_file) != bool(entry.password_file):
        fix = "give both `user_file` and `password_file`, or neither"
        yield ConfigError("an account needs a name and a password", where=origin, fix=fix)
    clear = next((address for address in addresses if address.startswith("redfish-http://")), "")
    if entry.password_file and clear:
        fix = f"write redfish-https:// instead of {clear!r}, or name no account"
        yield ConfigError("a password is never sent in the clear", where=f"{origin}.password_file", fix=fix)


def _tls(entry: TlsEntry, origin: str) -> Iterator[ConfigError]:
    if bool(entry.certificate) != bool(entry.key):
        fix = "give both `certificate` and `key`, or neither"
        yield ConfigError("a certificate needs its key", where=origin, fix=fix)
    if not entry.verify and not entry.reason:
        fix = "write `reason`: why peers can't be verified, and what protects the wire instead"
        yield ConfigError("an exception without a reason", where=f"{origin}.reason", fix=fix)
