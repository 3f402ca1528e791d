"""Messages as codes with parameters, with their English for those who only log."""

from datetime import datetime
from zoneinfo import ZoneInfo

from igoudar.control.schema import Text
from igoudar.core.i18n import render


def text(code: str, zone: str = "UTC", **params: object) -> Text:
    """A message; times are told in the site's zone, and the rest must fit into JSON."""
    shown = {name: _shown(value, zone) for name, value in params.items()}
    return Text(code=code, params=shown, english=render(code, shown))


def _shown(value: object, zone: str) -> object:
    """A time travels as {"time": ISO 8601 in the site's zone}; whoever shows it writes it in its language."""
    return {"time": value.astimezone(ZoneInfo(zone)).isoformat()} if isinstance(value, datetime) else value
