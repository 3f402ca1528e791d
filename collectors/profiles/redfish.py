"""The address of a point behind a Redfish service: `{ resource = "...", pointer = "/..." }`."""

from collections.abc import Mapping

from igoudar.collectors.profiles.tables import Table, need, one_of
from igoudar.collectors.prometheus import FOLDS
from igoudar.collectors.redfish_json import EVERY, tokens
from igoudar.core.errors import ConfigError
from igoudar.core.model import RedfishAddress

REDFISH_KEYS = frozenset(("resource", "pointer", "scale", "fold", "words"))


def redfish_address(table: Table, where: str) -> RedfishAddress:
    """Build the address of a point.

    Raises:
        ConfigError: names the key and what to do.
    """
    pointer = str(need(table, "pointer", where))
    try:
        steps = tokens(pointer)
    except ValueError as error:
        raise ConfigError(str(error), where=f"{where} pointer", fix='write "/PowerWatts/Reading"') from error
    fold = one_of(table["fold"], FOLDS, f"{where} fold") if "fold" in table else ""
    if (EVERY in steps) != bool(fold):
        fix = "give both: `*` stands for several values, `fold` makes one of them"
        raise ConfigError("`*` in the pointer and `fold` belong together", where=where, fix=fix)
    if "writable" in table and (fold or not steps):
        raise ConfigError("only a single property can be written", where=where, fix="leave `fold` out")
    scale = float(table.get("scale", 1.0))
    if scale == 0:
        raise ConfigError("scale is 0", where=where, fix="leave it out for 1")
    return RedfishAddress(
        str(need(table, "resource", where)).rstrip("/"), pointer, scale, fold, _words(table, where)
    )


def _words(table: Table, where: str) -> Mapping[str, int]:
    words = table.get("words", {})
    if not isinstance(words, dict) or not all(type(number) is int for number in words.values()):
        raise ConfigError("words = { Word = number } needs whole numbers", where=where)
    return dict(words)
