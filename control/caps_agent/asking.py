"""What may be asked of the agent, read strictly from JSON; pure."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from igoudar.core.errors import CommandError

KEYS = frozenset(("command_id", "limit_w", "life_s", "epoch"))
LONGEST_ID = 128


class BadRequestError(CommandError):
    """A request that can't be understood; `code` names why."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what, fix="docs/caps.md has the form of a request")
        self.code = code


@dataclass(frozen=True, slots=True)
class Asked:
    """One cap: for which GPU ("all", an index or a UUID), how much, for how long."""

    gpu: str
    command_id: str
    limit_w: float
    life_s: float
    epoch: int | None = None

    @property
    def content(self) -> str:
        """What a repeated command id has to ask again."""
        return f"{self.gpu} {self.limit_w!r} {self.life_s!r}"


def parse_asked(gpu: str, body: bytes) -> Asked:
    """A request's body.

    Raises:
        BadRequestError: it is none.
    """
    document = _document(body)
    for key in document:
        if key not in KEYS:
            raise BadRequestError("unknown_key", f"unknown key {key[:40]!r}")
    return Asked(
        gpu=gpu,
        command_id=_identity(document.get("command_id")),
        limit_w=_positive(document, "limit_w"),
        life_s=_positive(document, "life_s"),
        epoch=_epoch(document.get("epoch")),
    )


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("not_json", "the body is not JSON") from error
    if not isinstance(document, dict):
        raise BadRequestError("not_json", "the body is not a JSON object")
    return document


def _identity(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable():
        raise BadRequestError(
            "bad_command_id", f"command_id has to be a text of 1 to {LONGEST_ID} characters"
        )
    return value


def _positive(document: Mapping[str, Any], key: str) -> float:
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequestError("not_a_number", f"{key} has to be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not 0 < number < math.inf:
        raise BadRequestError("not_a_number", f"{key} has to be a positive number")
    return number


def _epoch(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise BadRequestError("bad_epoch", "epoch has to be a whole number")
