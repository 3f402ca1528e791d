"""Words and tables on the terminal; names from outside are hostile until escaped."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from igoudar.core.i18n import render
from igoudar.core.terminal import draw, printable, safe
from igoudar.core.units import format_quantity, localise, recorded_time

if TYPE_CHECKING:  # pydantic is slow to import
    from pydantic import BaseModel

    from igoudar.control.schema import Text

__all__ = ["printable", "safe"]


def plain(code: str, lang: str, **params: object) -> str:
    """One line of the catalogue, printable."""
    return printable(render(f"cli.{code}", params, lang))


def say(code: str, lang: str, **params: object) -> None:
    """Print one line of the catalogue."""
    typer.echo(plain(code, lang, **params))


def spoken(text: "Text", lang: str) -> str:
    """A message of the API in the person's language."""
    return printable(render(text.code, text.params, lang))


def message(text: "Text | None", lang: str) -> str:
    """A message of the API for a table's cell."""
    return safe(render(text.code, text.params, lang)) if text else ""


def document(model: "BaseModel | Sequence[BaseModel]") -> None:
    """The API's document, as it came."""
    if isinstance(model, Sequence):
        dumped: object = [one.model_dump(mode="json") for one in model]
    else:
        dumped = model.model_dump(mode="json")
    typer.echo(json.dumps(dumped, indent=1))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], lang: str, title: str = "") -> None:
    """Rows under heads of the catalogue; cells are escaped already."""
    draw([render(f"cli.head_{head}", {}, lang) for head in heads], rows, title)


def quantity(name: str, value: float | None, lang: str) -> str:
    """A value with the unit of its name's suffix; a dash for no data."""
    if value is None:
        return "-"
    _, _, unit = name.rpartition("_")
    return safe(format_quantity(value, unit, lang))


def local(at: datetime | None, zone: str) -> str:
    """A time in the site's zone, named."""
    if at is None:
        return "-"
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%Y-%m-%d %H:%M:%S} {zone}"


def recorded(value: str | None, zone: str) -> str:
    """A value as the audit keeps it; a time in the site's zone, named."""
    at = recorded_time(value)
    return local(at, zone) if at else value or "-"


def duration(seconds: float | None) -> str:
    """Hours and minutes."""
    if seconds is None:
        return "-"
    minutes = round(abs(seconds) / 60)
    return f"{'-' if seconds < 0 else ''}{minutes // 60} h {minutes % 60:02d} min"


def number(value: float | None, digits: int, lang: str) -> str:
    """A plain number with the language's marks."""
    return "-" if value is None else safe(localise(f"{value:.{digits}f}", lang))
