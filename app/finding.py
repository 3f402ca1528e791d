"""One thing that `igoudar doctor` has looked at, as a code that an edge renders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing."""

    level: Level
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
