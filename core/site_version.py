"""A short name of a site as it is configured: the same for the same content, in every process."""

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from typing import Any

from igoudar.core.model import Site


def site_version(site: Site) -> str:
    """Every plan, command and audit line carries it."""
    text = json.dumps(_plain(site), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()


def _plain(value: Any) -> Any:
    """Sets and maps have no order of their own, and hash seeds differ between processes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return sorted([str(_plain(key)), _plain(one)] for key, one in value.items())
    if isinstance(value, Set):
        return sorted(str(_plain(one)) for one in value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
