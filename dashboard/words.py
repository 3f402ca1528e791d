"""The dashboard's language: texts, numbers, times and durations as people read them."""

from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from igoudar.control.schema import Text
from igoudar.core.i18n import codes, render
from igoudar.core.units import SYMBOLS, format_duration, format_number, format_quantity, recorded_time

NONE = "–"  # what stands where no value is: never 0


@dataclass(frozen=True, slots=True)
class PowerUnit:
    """The one power unit of a panel, so that its figures compare at a glance."""

    divisor: float
    symbol: str
    digits: int


def power_unit(reference_w: float) -> PowerUnit:
    """Unit for figures up to `reference_w` [W]."""
    if reference_w < 2e6:
        return PowerUnit(1e3, "kW", 0 if reference_w >= 1e5 else 1)
    return PowerUnit(1e6, "MW", 1 if reference_w < 1e9 else 0)


@dataclass(frozen=True, slots=True)
class Words:
    """One language and one time zone."""

    lang: str
    zone: str = "UTC"

    def __call__(self, key: str, **params: Any) -> str:
        """Text of the dashboard's catalogue, plain."""
        return render(f"dashboard.{key}", params, self.lang)

    def html(self, key: str, **params: Any) -> str:
        """Text of the dashboard's catalogue, escaped for HTML."""
        return escape(self(key, **params))

    def known(self, stem: str, code: str) -> str:
        """Label `stem_code` where the catalogue has it, else the code itself."""
        return self(f"{stem}_{code}") if f"dashboard.{stem}_{code}" in codes("en") else code

    def hall(self, name: str) -> str:
        """Title of a hall: "hall-a" and "A" both read "Hall A"."""
        short = name.lower().removeprefix("hall").strip("-_ ")
        return self("hall_title", hall=short.upper() if len(short) <= 2 else short or name)

    def text(self, text: Text | None) -> str:
        """A message of the API in this language, plain."""
        if text is None:
            return ""
        if text.code in codes("en"):
            return render(text.code, text.params, self.lang)
        return text.english or text.code

    def number(self, value: float | None, digits: int = 1) -> str:
        """A number, or the mark for none."""
        return NONE if value is None else format_number(value, self.lang, digits)

    def edge(self, value: float, digits: int = 1) -> str:
        """A limit, without decimals that say nothing ("20", not "20.0")."""
        return self.number(value, 0 if round(value, digits) == round(value) else digits)

    def power(self, value_w: float | None, unit: PowerUnit) -> str:
        """A power with its unit, or the mark for none."""
        return self.unit(None if value_w is None else value_w / unit.divisor, unit.symbol, unit.digits)

    def unit(self, value: float | None, symbol: str, digits: int = 1) -> str:
        """A number with a symbol after it; no symbol where no value is."""
        gap = "\u202f" if self.lang == "fr" else " "
        return NONE if value is None else f"{self.number(value, digits)}{gap}{symbol}"

    def quantity(self, value: float | None, unit: str) -> str:
        """A value in base units, with the prefix that suits its size."""
        return NONE if value is None else format_quantity(value, unit, self.lang)

    def celsius(self, value_c: float | None) -> str:
        """A temperature with its unit."""
        return self.unit(value_c, SYMBOLS["c"])

    def duration(self, seconds: float | None) -> str:
        """A duration in its two largest units."""
        return NONE if seconds is None else format_duration(seconds, self.lang)

    def local(self, time: datetime) -> datetime:
        """Time in the site's zone."""
        return time.astimezone(ZoneInfo(self.zone))

    def clock(self, time: datetime | None, form: str = "%H:%M") -> str:
        """Time of day in the site's zone."""
        return NONE if time is None else self.local(time).strftime(form)

    def moment(self, time: datetime | None, now: datetime) -> str:
        """Time of day, with the date where it is not today's."""
        if time is None:
            return NONE
        same_day = self.local(time).date() == self.local(now).date()
        return self.clock(time, "%H:%M" if same_day else "%d/%m %H:%M")

    def recorded(self, value: str | None, now: datetime | None) -> str:
        """A value as the audit keeps it, a time in the site's zone; or the mark for none."""
        time = recorded_time(value)
        if time is None:
            return value or NONE
        return self.moment(time, now) if now else self.clock(time, "%d/%m %H:%M")
