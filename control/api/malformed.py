"""What a body or a parameter lacks, in the words of the catalogue instead of the validation's. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from igoudar.core.errors import CommandError
from igoudar.core.said import said

# Of the kinds of fault that pydantic names; any other is told in its words, behind ours.
CODES: Mapping[str, str] = {
    "missing": "refusal.value_missing",
    "extra_forbidden": "refusal.value_unknown",
    "string_too_short": "refusal.value_short",
    "string_too_long": "refusal.value_long",
    "string_type": "refusal.value_text",
    "literal_error": "refusal.value_choice",
    "enum": "refusal.value_choice",
    "json_invalid": "refusal.value_json",
    "model_attributes_type": "refusal.value_object",
    "model_type": "refusal.value_object",
    "dict_type": "refusal.value_object",
    "greater_than": "refusal.value_above",
    "greater_than_equal": "refusal.value_least",
    "less_than_equal": "refusal.value_most",
}
KINDS: Mapping[str, str] = {
    "int": "refusal.value_whole",
    "float": "refusal.value_number",
    "finite": "refusal.value_number",
    "bool": "refusal.value_yes_no",
    "date": "refusal.value_time",
    "datetime": "refusal.value_time",
    "timezone": "refusal.value_time",
}
OTHER = "refusal.value_wrong"
TOLD = ("min_length", "max_length", "expected", "gt", "ge", "le")


def malformed(errors: Sequence[Any]) -> CommandError:
    """The first of them."""
    first = errors[0]
    kind, facts = str(first["type"]), first.get("ctx", {})
    code = CODES.get(kind) or KINDS.get(kind.partition("_")[0], OTHER)
    params = {name: _plain(facts[name]) for name in TOLD if name in facts}
    if code == OTHER:
        params["detail"] = str(first["msg"])
    where = ".".join(str(part) for part in first["loc"])
    return said(CommandError, code, where=where, **params)


def _plain(fact: object) -> object:
    """Words to choose from come as an English list."""
    return fact.replace(" or ", ", ") if isinstance(fact, str) else fact
