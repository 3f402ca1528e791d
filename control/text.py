"""Messages as codes with parameters, with their English for those who only log."""

from datetime import datetime
from zoneinfo import ZoneInfo

from igoudar.control.schema import Text
from igoudar.core.i18n import render


def text(code: str, zone: str = "UTC", **params: object) -> Text:
    """A message; times are told in the site's zone, and the rest must fit into JSON."""
    shown = {name: _shown(value, zone) for name, value in params.items()}
    return Text(code=code, params=shown, english=render(code, shown))


def local_time(at: datetime, zone: str) -> str:
    """A time as people on site say it: day and minute."""
    return at.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M")


def _shown(value: object, zone: str) -> object:
    return local_time(value, zone) if isinstance(value, datetime) else value
