"""Units: suffixes of names, powers and times as people write them, values as people read them."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from igoudar.core.errors import ConfigError

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "_w": "active power, watt",
        "_wh": "energy, watt-hour",
        "_va": "apparent power, volt-ampere",
        "_var": "reactive power, var",
        "_c": "temperature, degree Celsius",
        "_kpa": "pressure, kilopascal",
        "_bar": "pressure, bar",
        "_lpm": "volume flow, litre per minute",
        "_pct": "per cent, 0 to 100",
        "_ratio": "ratio, 1 = whole",
        "_v": "voltage, volt",
        "_a": "current, ampere",
        "_hz": "frequency or rotational speed, hertz",
        "_s": "time, second",
        "_mps": "speed, metre per second",
        "_wm2": "irradiance, watt per square metre",
        "_deg": "angle, degree",
        "_count": "count",
        "_state": "state, a number with a word in the profile",
        "_m3": "volume, cubic metre",
        "_kg": "mass, kilogram",
    }
)

SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        "w": "W",
        "wh": "Wh",
        "va": "VA",
        "var": "var",
        "c": "°C",
        "kpa": "kPa",
        "bar": "bar",
        "lpm": "l/min",
        "pct": "%",
        "ratio": "",
        "v": "V",
        "a": "A",
        "hz": "Hz",
        "s": "s",
        "mps": "m/s",
        "wm2": "W/m²",
        "deg": "°",
        "count": "",
        "state": "",
        "m3": "m³",
        "kg": "kg",
    }
)

_POWERS = {"W": 1.0, "kW": 1e3, "MW": 1e6, "GW": 1e9}
_ENERGIES = {"Wh": 1.0, "kWh": 1e3, "MWh": 1e6, "GWh": 1e9}
_DURATIONS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", re.ASCII)

_SHARE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*", re.ASCII)

_SCALED = frozenset({"w", "wh", "va", "var"})  # units that people read with k, M, G before them
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_NARROW_SPACE = "\u202f"
_MINUS = "\u2212"
_FRENCH = str.maketrans(",.", f"{_NARROW_SPACE},")


def unit_of(name: str) -> str:
    """Unit of a point or field name: its suffix without the underscore ("active_power_w" -> "w").

    Raises:
        ConfigError: when the name does not end in one of SUFFIXES.
    """
    stem, _, unit = name.rpartition("_")
    if not stem or f"_{unit}" not in SUFFIXES:
        raise ConfigError(
            "the name does not end in a unit",
            where=repr(name),
            fix=f"end it in one of {' '.join(SUFFIXES)}",
        )
    return unit


def parse_power_w(text: object, where: str = "") -> float:
    """Power in W from '300 kW', '28MW' or '1.2 GW'.

    Raises:
        ConfigError: for a power without a unit, a negative one, or anything else.
    """
    return _amount(text, _POWERS, "a power", "28 MW", where)


def parse_energy_wh(text: object, where: str = "") -> float:
    """Energy in Wh from '80 MWh'.

    Raises:
        ConfigError: for an energy without a unit, a negative one, or anything else.
    """
    return _amount(text, _ENERGIES, "an energy", "80 MWh", where)


def parse_duration_s(text: object, where: str = "") -> float:
    """Time in s from '90s', '15m' (minutes), '24h' or '7d'.

    Raises:
        ConfigError: for a time without a unit, a negative one, or anything else.
    """
    return _amount(text, _DURATIONS, "a duration", "15m", where)


def parse_share(text: object, where: str = "") -> float:
    """A part of a whole from '30%' or '30 %': 0.3.

    Raises:
        ConfigError: for anything else, a bare number too: 0.3 and 30 could both be meant.
    """
    match = _SHARE.fullmatch(text) if isinstance(text, str) else None
    if match is None or float(match[1]) > 100.0:
        raise ConfigError(f"{text!r} is not a share", where=where, fix='write per cent, such as "30%"')
    return float(match[1]) / 100.0


def _amount(text: object, units: Mapping[str, float], what: str, example: str, where: str) -> float:
    fix = f'write a number and one of {", ".join(units)}, such as "{example}"'
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None and not isinstance(text, int | float):
        raise ConfigError(f"{text!r} is not {what}", where=where, fix=fix)
    if match is None or not match[2]:
        raise ConfigError(f"{text!r} is {what} without a unit", where=where, fix=fix)
    if match[2] not in units:
        raise ConfigError(f"unknown unit {match[2]!r} in {text!r}", where=where, fix=fix)
    value = float(match[1]) * units[match[2]]
    if not math.isfinite(value):
        raise ConfigError(f"{what} of that size can't be meant", where=where, fix=fix)
    return value


def format_number(value: float, lang: str = "en", digits: int = 1) -> str:
    """A number for people: '1,234.5' in English, '1 234,5' (narrow no-break space, comma) in French."""
    if not math.isfinite(value):
        return "?"
    text = localise(f"{value:,.{digits}f}", lang)
    return text.replace("-", _MINUS)


def localise(text: str, lang: str) -> str:
    """An English-formatted number in the marks of `lang`."""
    if lang != "fr":
        return text
    return text.translate(_FRENCH)


def format_quantity(value: float, unit: str, lang: str = "en", digits: int | None = None) -> str:
    """A base-unit value with its unit for people: 28.4e6, 'w' -> '28.4 MW', in French '28,4 MW'.

    `unit` is as from `unit_of`; powers and energies take k, M or G; `digits` None picks them by size.
    """
    if unit == "s":
        return format_duration(value, lang)
    scale, prefix = _scale(value) if unit in _SCALED else (1.0, "")
    shown = value / scale
    if digits is None:
        digits = 0 if unit in {"count", "state"} or abs(shown) >= 100 else 2 if unit == "ratio" else 1
    symbol = prefix + SYMBOLS[unit]
    gap = "" if not symbol or unit == "deg" or (symbol == "%" and lang != "fr") else _gap(lang)
    return f"{format_number(shown, lang, digits)}{gap}{symbol}"


def format_duration(seconds: float, lang: str = "en") -> str:
    """A duration for people in its two largest units: '2 h 10 min', '3 d 4 h', in French '3 j 4 h'."""
    if not math.isfinite(seconds):
        return "?"
    gap, total = _gap(lang), abs(round(seconds))
    sizes = ((86400, "j" if lang == "fr" else "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts = []
    for size, symbol in sizes:
        count, total = divmod(total, size)
        parts.append((count, symbol))
    first = next((i for i, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count}{gap}{symbol}" for count, symbol in parts[first : first + 2] if count]
    sign = _MINUS if seconds < 0 and shown else ""
    return sign + gap.join(shown or [f"0{gap}s"])


def _scale(value: float) -> tuple[float, str]:
    # 999.6 kW would read "1000 kW": half a display step below the next prefix already takes it.
    return next(((s, p) for s, p in _PREFIXES if abs(value) >= s * 0.9995), (1.0, ""))


def _gap(lang: str) -> str:
    return _NARROW_SPACE if lang == "fr" else " "


def recorded_time(value: str | None) -> datetime | None:
    """The time that a value of the audit is, None where it is something else."""
    try:
        at = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return at if at.tzinfo else None


def format_minute(at: datetime, lang: str = "en") -> str:
    """Day and minute as people say them, in the zone that `at` carries."""
    return at.strftime("%d/%m %H:%M" if lang == "fr" else "%d %b %H:%M")
