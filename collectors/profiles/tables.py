"""Tables that refuse what they do not know."""

from collections.abc import Collection, Mapping
from typing import Any

from igoudar.core.errors import ConfigError
from igoudar.core.strict_toml import nearest

Table = Mapping[str, Any]


def known(table: Table, keys: Collection[str], where: str) -> None:
    """Refuse a key that is not in `keys`, naming the nearest one that is."""
    for key in table:
        if key not in keys:
            raise ConfigError(f"unknown key {key!r}", where=where, fix=nearest(key, keys))


def need(table: Table, key: str, where: str) -> Any:
    """The value of a key that has to be there."""
    if key not in table:
        raise ConfigError(f"key {key!r} is missing", where=where, fix=f"add {key!r}")
    return table[key]


def one_of(value: Any, allowed: Collection[str], where: str) -> str:
    """A word out of `allowed`."""
    if value not in allowed:
        raise ConfigError(f"{value!r} is not known", where=where, fix=nearest(str(value), allowed, "word"))
    return str(value)
