"""TLS contexts: who is trusted, who we are; a key that wants a passphrase is refused, nobody is asked."""

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from igoudar.core.errors import ConfigError
from igoudar.core.model import TlsFiles

LOG = logging.getLogger(__name__)

OLDEST = ssl.TLSVersion.TLSv1_2
"""MODBUS/TCP Security Protocol Specification V36 (2021), section 8; ours speak 1.3 among themselves."""


def client_context(files: TlsFiles, where: str, least: ssl.TLSVersion = OLDEST) -> ssl.SSLContext:
    """A context that verifies its peers unless the site says otherwise, and shows our certificate if any.

    Args:
        files: PEM; without `ca` the system's authorities are trusted.
        where: What an error names: the table of the site file.
        least: The oldest version that is spoken.

    Raises:
        ConfigError: a file that is missing, holds something else, or is locked by a passphrase.
    """
    with _told(where):
        context = ssl.create_default_context(cafile=_path(files.ca, where) if files.ca else None)
        if files.certificate:
            _identify(context, files.certificate, files.key, where)
    context.minimum_version = least
    if not files.verify:
        LOG.warning("peers over TLS are not verified: anybody on the way can pretend to be a device")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def server_context(
    certificate: str | Path,
    key: str | Path,
    where: str,
    client_ca: str | Path = "",
    least: ssl.TLSVersion = OLDEST,
) -> ssl.SSLContext:
    """A server's context; with `client_ca`, peers without its certificate do not get through the handshake.

    Raises:
        ConfigError: as `client_context`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = least
    with _told(where):
        _identify(context, certificate, key, where)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(_path(client_ca, where))
    return context


def _identify(context: ssl.SSLContext, certificate: str | Path, key: str | Path, where: str) -> None:
    private = _path(key, where) if key else None
    locked = _locked(private or str(certificate), where)
    context.load_cert_chain(_path(certificate, where), private, password=locked)


def _locked(key: str, where: str) -> Callable[[], str]:
    """Called where OpenSSL would ask the terminal for a passphrase."""

    def refuse() -> str:
        what = "the key of a TLS file wants a passphrase, and nobody is there to type it"
        fix = "give a key without one that this user alone can read: openssl pkey -in KEY -out NEW"
        raise ConfigError(what, where=f"{where}: {key}", fix=fix)

    return refuse


@contextmanager
def _told(where: str) -> Iterator[None]:
    """What goes wrong with a file, as a fault of the configuration."""
    try:
        yield
    except OSError as error:  # ssl.SSLError is one
        fix = "name PEM files that this user can read, and the key that belongs to the certificate"
        raise ConfigError(f"a TLS file can't be used ({error})", where=where, fix=fix) from error


def _path(name: str | Path, where: str) -> str:
    path = Path(name).expanduser()
    if not path.is_file():
        what = "a TLS file can't be used: there is no such file"
        raise ConfigError(what, where=f"{where}: {path}", fix="check the path")
    return str(path)
