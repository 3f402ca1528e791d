"""Message codes and their catalogues: pure code returns codes, edges render them.

A code is `area.key`; `core/i18n/LANG/area.toml` is one flat table `key = "text with {param}"`. In a text,
a parameter {"time": ISO 8601} is told as day and minute; a bare `{power_w}` whose parameter is a number shows
the unit of its name's suffix ("28.4 MW"), so the text adds none; any other number takes the marks of the
language; `{name:spec}` is a Python format specification.
"""

import locale
import os
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any

from igoudar.core.units import SUFFIXES, format_minute, format_number, format_quantity, localise

LANGUAGES = ("en", "fr")


def render(code: str, params: Mapping[str, Any] | None = None, lang: str = "en") -> str:
    """The text of `code` in `lang`; a key missing there falls back to English, then to the code itself."""
    text = _text(code, lang)
    shown = _Shown({name: _Param(name, value, lang) for name, value in (params or {}).items()})
    return Formatter().vformat(text, (), shown)


def codes(lang: str) -> Mapping[str, str]:
    """All codes of `lang` with their texts, placeholders as written."""
    return _catalogues()[lang] if lang in LANGUAGES else {}


def choose_language(asked: str | None = None) -> str:
    """Language to speak: what was asked, else IGOUDAR_LANG, else the locale, else English."""
    for wish in (asked, os.environ.get("IGOUDAR_LANG"), locale.getlocale()[0]):
        if wish and (short := wish.replace("-", "_").split("_")[0].lower()) in LANGUAGES:
            return short
    return "en"


def placeholders(text: str) -> frozenset[str]:
    """Names of the parameters that a text uses."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def _text(code: str, lang: str) -> str:
    fallback = codes("en").get(code)
    text = codes(lang).get(code, fallback)
    return text if text is not None else code.replace("{", "{{").replace("}", "}}")


@cache
def _catalogues() -> Mapping[str, Mapping[str, str]]:
    return {lang: _load(lang) for lang in LANGUAGES}


def _load(lang: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for file in resources.files(__name__).joinpath(lang).iterdir():
        if file.name.endswith(".toml"):
            table = tomllib.loads(file.read_text(encoding="utf-8"))
            area = file.name.removesuffix(".toml")
            found |= {f"{area}.{key}": str(text) for key, text in table.items()}
    return found


class _Shown(dict[str, "_Param"]):
    """Parameters of one text; a missing one stays visible as {name} rather than break a page."""

    def __missing__(self, name: str) -> "_Param":
        return _Param("", f"{{{name}}}", "en")


class _Param:
    """One parameter as it is shown in one language."""

    def __init__(self, name: str, value: Any, lang: str) -> None:
        self._name, self._value, self._lang = name, value, lang

    def __str__(self) -> str:
        value, lang = self._value, self._lang
        if isinstance(value, Mapping) and "time" in value:
            return format_minute(datetime.fromisoformat(value["time"]), lang)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return str(value)
        _, underscore, unit = self._name.rpartition("_")
        if underscore + unit in SUFFIXES:
            return format_quantity(value, unit, lang)
        return format_number(value, lang) if isinstance(value, float) else str(value)

    def __format__(self, spec: str) -> str:
        try:
            text = format(self._value, spec) if spec else str(self)
        except (TypeError, ValueError):  # a text must show something: None has no ".1f"
            return str(self)
        return localise(text, self._lang) if spec and isinstance(self._value, int | float) else text
