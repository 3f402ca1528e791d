"""What every table of a site file is made of: strict tables, powers and times as people write them."""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from igoudar.core.errors import ConfigError
from igoudar.core.units import parse_duration_s, parse_energy_wh, parse_power_w


def _or_value_error(parse: Callable[[object], float]) -> Callable[[object], float]:
    def checked(value: object) -> float:
        try:
            return parse(value)
        except ConfigError as error:
            raise ValueError(f"{error.what}: {error.fix}") from error

    return checked


def _share(value: object) -> object:
    """A part of a whole, 0.25 or "1/4"; the exact fraction keeps sums at 1."""
    if not isinstance(value, str):
        return value
    try:
        return float(Fraction(value))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError('a share is a number or a fraction such as "1/4"') from error


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no such time zone: write one such as Africa/El_Aaiun")
    return name


PowerW = Annotated[float, BeforeValidator(_or_value_error(parse_power_w))]
EnergyWh = Annotated[float, BeforeValidator(_or_value_error(parse_energy_wh))]
DurationS = Annotated[float, BeforeValidator(_or_value_error(parse_duration_s))]
Share = Annotated[float, BeforeValidator(_share), Field(gt=0, le=1)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\s\x00-\x1f/]+$")]
Words = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]  # goes to terminals
# Where a secret is must not depend on the folder that a command was given in.
AbsoluteFile = Annotated[Words, Field(pattern=r"^(~?/.+)?$")]
Percent = Annotated[float, Field(ge=0, le=100)]


class Table(BaseModel):
    """Base of every table: no unknown key, no conversion between types, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Sourced(Table):
    """A table of figures and where they come from."""

    source: Words = ""
