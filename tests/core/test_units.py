from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.core.errors import ConfigError
from igoudar.core.units import (
    SUFFIXES,
    SYMBOLS,
    format_duration,
    format_minute,
    format_number,
    format_quantity,
    parse_duration_s,
    parse_energy_wh,
    parse_power_w,
    unit_of,
)


@pytest.mark.parametrize(
    ("text", "watts"), [("28MW", 28e6), ("1.2 GW", 1.2e9), ("300kW", 300e3), (" 5 W ", 5.0), ("0 kW", 0.0)]
)
def test_power_with_its_unit(text, watts):
    assert parse_power_w(text) == pytest.approx(watts)


@pytest.mark.parametrize(
    "text", [28, 28.5, "28", "", "MW", "-1 MW", "28 mw", "28 MWh", "1,200 kW", "nan MW", None, [], True]
)
def test_power_that_could_be_misread_is_refused(text):
    with pytest.raises(ConfigError, match="MW"):
        parse_power_w(text, "site.toml: solar.ac")


def test_refusal_names_the_place():
    with pytest.raises(ConfigError, match=r"site\.toml: solar\.ac: 28 is a power without a unit"):
        parse_power_w(28, "site.toml: solar.ac")


def test_energy_and_duration():
    assert parse_energy_wh("80 MWh") == pytest.approx(80e6)
    assert [parse_duration_s(t) for t in ("90s", "15m", "15 min", "24h", "7d")] == [
        90,
        900,
        900,
        86400,
        604800,
    ]


def read(text):
    try:
        return parse_power_w(text)
    except ConfigError as error:
        return error


@given(st.text())
def test_any_text_is_a_power_or_a_named_error(text):
    found = read(text)
    assert found.fix if isinstance(found, ConfigError) else found >= 0


def test_absurd_size_is_refused():
    with pytest.raises(ConfigError):
        parse_power_w("9" * 400 + " GW")


@pytest.mark.parametrize(
    ("name", "unit"), [("active_power_w", "w"), ("ghi_wm2", "wm2"), ("active_energy_import_wh", "wh")]
)
def test_unit_is_the_suffix(name, unit):
    assert unit_of(name) == unit


@pytest.mark.parametrize("name", ["power", "w", "_w", "power_kw", "power_W", ""])
def test_name_without_a_unit_is_refused(name):
    with pytest.raises(ConfigError, match="does not end in a unit"):
        unit_of(name)


def test_every_suffix_has_a_symbol():
    assert {f"_{unit}" for unit in SYMBOLS} == set(SUFFIXES)


@pytest.mark.parametrize(
    ("value", "unit", "en", "fr"),
    [
        (28.4e6, "w", "28.4 MW", "28,4\u202fMW"),
        (999.96e3, "w", "1.0 MW", "1,0\u202fMW"),
        (-3.2e6, "w", "\u22123.2 MW", "\u22123,2\u202fMW"),
        (1234e9, "wh", "1,234 GWh", "1\u202f234\u202fGWh"),
        (27.04, "c", "27.0 °C", "27,0\u202f°C"),
        (62.5, "pct", "62.5%", "62,5\u202f%"),
        (1.083, "ratio", "1.08", "1,08"),
        (20880, "count", "20,880", "20\u202f880"),
        (7800, "s", "2 h 10 min", "2\u202fh\u202f10\u202fmin"),
    ],
)
def test_quantities_as_people_read_them(value, unit, en, fr):
    assert format_quantity(value, unit, "en") == en
    assert format_quantity(value, unit, "fr") == fr


def test_durations():
    assert [format_duration(s) for s in (0, 59, 3600, 273600, -90)] == [
        "0 s",
        "59 s",
        "1 h",
        "3 d 4 h",
        "\u22121 min 30 s",
    ]
    assert format_duration(273600, "fr") == "3\u202fj\u202f4\u202fh"


def test_a_number_that_is_none_is_not_shown_as_one():
    assert format_number(float("nan")) == "?"
    assert format_duration(float("inf")) == "?"


def test_minutes_are_told_in_the_order_of_the_language() -> None:
    at = datetime(2026, 11, 2, 7, 5, tzinfo=UTC)
    assert format_minute(at) == "02 Nov 07:05"
    assert format_minute(at, "fr") == "02/11 07:05"
