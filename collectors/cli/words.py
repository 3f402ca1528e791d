"""What the tools print: lines of the catalogue, tables of values, JSON; and the options they share."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from igoudar.core.i18n import render
from igoudar.core.model import Point, Quality, Reason
from igoudar.core.terminal import draw, printable, safe
from igoudar.core.units import format_quantity

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
LangOption = Annotated[str | None, typer.Option("--lang", help="en or fr (or IGOUDAR_LANG).")]
FolderOption = Annotated[Path | None, typer.Option("--profiles", help="A folder with profiles of your own.")]


def say(code: str, lang: str, **params: object) -> None:
    """Print one line of the catalogue."""
    typer.echo(printable(render(f"tools.{code}", params, lang)))


def document(data: Mapping[str, Any]) -> None:
    """Print one JSON document; text from outside stays ASCII."""
    typer.echo(json.dumps(data, indent=1))


def heads(lang: str, *names: str) -> list[str]:
    """Column heads."""
    return [render(f"tools.head_{name}", {}, lang) for name in names]


def values_table(
    values: Mapping[str, float],
    flags: Mapping[str, tuple[Quality, Reason]],
    points: Mapping[str, Point],
    lang: str,
) -> None:
    """Draw values with their units, and what is wrong with those that are not good."""
    names = list(points) or [*values, *(name for name in flags if name not in values)]
    rows = [(safe(n), shown(n, values.get(n), points.get(n), lang), quality(n, values, flags)) for n in names]
    draw(heads(lang, "point", "value", "quality"), rows)


def shown(name: str, value: float | None, point: Point | None, lang: str) -> str:
    """A value with its unit, a state with its word; a dash for no value."""
    if value is None:
        return "-"
    word = point.states.get(int(value)) if point and value.is_integer() else None
    return safe(f"{word} ({value:.0f})" if word else format_quantity(value, name.rpartition("_")[2], lang))


def quality(name: str, values: Mapping[str, float], flags: Mapping[str, tuple[Quality, Reason]]) -> str:
    """The quality in words, with its reason."""
    if name not in flags:
        return "good" if name in values else "-"
    found, reason = flags[name]
    return f"{found.name.lower()}: {reason.name.lower().replace('_', ' ')}"
