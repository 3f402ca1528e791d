"""TLS for links that have it: who is trusted, and who we are."""

import logging
import ssl
from pathlib import Path

from igoudar.core.errors import ConfigError
from igoudar.core.model import TlsFiles

LOG = logging.getLogger(__name__)

SECTION = "links.tls"


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """A context that verifies its peers unless the site says otherwise.

    TLS 1.2 or newer: MODBUS/TCP Security Protocol Specification V36 (2021), section 8.

    Raises:
        ConfigError: a file that is missing or holds something else.
    """
    try:
        context = ssl.create_default_context(cafile=_path(files.ca) if files.ca else None)
        if files.certificate:
            context.load_cert_chain(_path(files.certificate), _path(files.key), password="")
    except OSError as error:  # ssl.SSLError is one
        fix = "name PEM files that the collector can read; a key without a passphrase"
        raise ConfigError(f"a TLS file can't be used ({error})", where=SECTION, fix=fix) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not files.verify:
        LOG.warning("peers over TLS are not verified: anybody on the way can pretend to be a device")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _path(text: str) -> str:
    path = Path(text).expanduser()
    if not path.is_file():
        raise ConfigError("there is no such file", where=f"{SECTION}: {path}", fix="check the path")
    return str(path)
