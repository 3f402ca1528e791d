import tomllib
from datetime import UTC, datetime
from importlib import resources

import pytest

from igoudar.core.i18n import LANGUAGES, choose_language, codes, placeholders, render


def test_languages_have_the_same_codes():
    assert codes("en").keys() == codes("fr").keys()


def test_texts_use_the_same_parameters_in_every_language():
    french = codes("fr")
    differ = {c for c, text in codes("en").items() if placeholders(text) != placeholders(french.get(c, ""))}
    assert not differ


@pytest.mark.parametrize("lang", LANGUAGES)
def test_catalogues_are_flat_tables_of_texts(lang):
    for file in resources.files("igoudar.core.i18n").joinpath(lang).iterdir():
        if file.name.endswith(".toml"):
            table = tomllib.loads(file.read_text(encoding="utf-8"))
            assert all(isinstance(text, str) and text for text in table.values()), file.name


def test_unknown_code_is_shown_as_itself():
    assert render("nowhere.{x}", {}, "fr") == "nowhere.{x}"


def test_unknown_language_speaks_english():
    params = {"file": "a.toml", "devices": 1, "points": 2, "racks": 3}
    assert render("site.check_ok", params, "xx") == render("site.check_ok", params, "en")


@pytest.fixture
def _one_text(monkeypatch):
    texts = {"en": {"t.a": "{power_w} at {at:%H:%M}, {share:.1f}, {n}, {who}"}, "fr": {}}
    monkeypatch.setattr("igoudar.core.i18n._catalogues", lambda: texts)


@pytest.mark.usefixtures("_one_text")
def test_numbers_take_their_unit_and_the_marks_of_the_language():
    params = {
        "power_w": 28.4e6,
        "at": datetime(2026, 7, 1, 19, 40, tzinfo=UTC),
        "share": 0.5,
        "n": 4,
        "who": "{n}",
    }
    assert render("t.a", params, "fr") == "28,4\u202fMW at 19:40, 0,5, 4, {n}"


@pytest.mark.usefixtures("_one_text")
def test_a_missing_parameter_stays_visible():
    assert render("t.a", {"share": None}) == "{power_w} at {at}, None, {n}, {who}"


def test_language_by_wish_then_environment(monkeypatch):
    monkeypatch.setenv("IGOUDAR_LANG", "fr_MA.UTF-8")
    assert choose_language() == "fr"
    assert choose_language("en") == "en"
    assert choose_language("tlh") == "fr"


def test_a_time_is_told_in_the_reader_s_language() -> None:
    time = {"time": "2026-11-22T15:04:00+01:00"}
    assert "22 Nov 15:04" in render("control.wait", {"until": time, "surplus_w": 0.0, "power_w": 1.0})
    assert "22/11 15:04" in render("control.wait", {"until": time, "surplus_w": 0.0, "power_w": 1.0}, "fr")
