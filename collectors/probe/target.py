"""Where to look: `HOST`, `HOST:PORT`, `HOST:PORT/UNIT`, or an address as in a site file."""

import re
from ipaddress import IPv6Address

from igoudar.collectors.endpoints import Address, parse_address
from igoudar.core.errors import ConfigError

FIX = "write HOST, HOST:PORT, HOST:PORT/UNIT, opc.tcp://HOST:PORT or http://HOST:PORT/metrics"


def target(text: str) -> Address:
    """The address meant by `text`; Modbus TCP where no scheme is given.

    Raises:
        ConfigError: it can't be one.
    """
    url = text if "://" in text else f"modbus-tcp://{_bracketed(text)}"
    try:
        return parse_address("probe", url)
    except ConfigError as error:
        raise ConfigError(f"{text!r} is no address", where="probe", fix=FIX) from error


def _bracketed(text: str) -> str:
    """A bare IPv6 address in the brackets that an address needs."""
    if re.fullmatch(r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*", text):
        try:
            return f"[{IPv6Address(text)}]"
        except ValueError:
            return text
    return text
