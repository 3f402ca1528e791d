"""TOML files against a schema: a problem names its file, its key and, when unknown, the nearest known key."""

import difflib
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from igoudar.core.errors import ConfigError

Schema = TypeVar("Schema", bound=BaseModel)


class ConfigFileError(ConfigError):
    """All that is wrong with one file; `problems` has them one by one."""

    def __init__(self, problems: Sequence[ConfigError]) -> None:
        first, more = problems[0], len(problems) - 1
        also = f"{more} more problem{'s' if more > 1 else ''} in this file" if more else ""
        super().__init__(first.what, where=first.where, fix=". ".join(p for p in (first.fix, also) if p))
        self.problems = tuple(problems)


def raise_all(problems: Iterable[ConfigError]) -> None:
    """Raise what was found, if anything was.

    Raises:
        ConfigFileError: when there is at least one problem.
    """
    if found := list(problems):
        raise ConfigFileError(found)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a plain table.

    Raises:
        ConfigError: when it is missing, unreadable, not UTF-8 or not TOML (with line and column).
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError("there is no such file", where=str(path), fix="check the path") from error
    except OSError as error:
        fix = "make it a readable file"
        raise ConfigError(f"can't be read ({error.strerror})", where=str(path), fix=fix) from error
    except UnicodeDecodeError as error:
        fix = "save it as UTF-8 text"
        raise ConfigError(f"is not UTF-8 text (byte {error.start})", where=str(path), fix=fix) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        fix = "correct the TOML there"
        raise ConfigError(f"is not TOML: {error or 'nested too deep'}", where=str(path), fix=fix) from error


def bind(document: Mapping[str, Any], schema: type[Schema], where: str) -> Schema:
    """A table as an instance of `schema`.

    Raises:
        ConfigFileError: with one problem for each key that is unknown, missing or of a wrong type or value.
    """
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        # A misspelt key is also a missing one: the slip itself comes first.
        found = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
        raise ConfigFileError([_problem(detail, schema, where) for detail in found]) from error


def nearest(word: str, known: Collection[str], what: str = "key") -> str:
    """A hint that names the known word most like `word`."""
    if not known:
        return f"there is no {what} to use here"
    best = max(sorted(known), key=lambda k: difflib.SequenceMatcher(None, word.lower(), k.lower()).ratio())
    return f"the nearest known {what} is {best!r}"


def _problem(detail: ErrorDetails, schema: type[BaseModel], where: str) -> ConfigError:
    path = detail["loc"]
    place = f"{where}: {_key_path(path)}" if path else where
    if detail["type"] == "extra_forbidden":
        known = _known_keys(schema, path[:-1])
        return ConfigError("unknown key", where=place, fix=nearest(str(path[-1]), known))
    if detail["type"] == "missing":
        return ConfigError("this key is missing", where=place, fix="add it")
    message = detail["msg"].removeprefix("Value error, ")
    return ConfigError(
        f"{message[:1].lower()}{message[1:]}", where=place, fix=f"it says {_short(detail['input'])}"
    )


def _key_path(path: tuple[int | str, ...]) -> str:
    """`devices[3].subject`; entries count from 1, as people count them."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            shown = part if part.isprintable() else repr(part)
            text += f".{shown}" if text else shown
    return text


def _known_keys(schema: type[BaseModel], path: tuple[int | str, ...]) -> Collection[str]:
    current = schema
    for part in path:
        if isinstance(part, str) and part in current.model_fields:
            current = next(_models(current.model_fields[part].annotation), current)
    return list(current.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
