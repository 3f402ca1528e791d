from datetime import UTC, datetime

from igoudar.control.schema import Text
from igoudar.core.i18n import codes, placeholders
from igoudar.dashboard.words import Words


def ours(lang: str) -> dict[str, str]:
    return {code: text for code, text in codes(lang).items() if code.startswith("dashboard.")}


def test_both_languages_say_the_same_things() -> None:
    english, french = ours("en"), ours("fr")
    assert english.keys() == french.keys()
    for code, text in english.items():
        assert placeholders(text) == placeholders(french[code]), code


def test_an_unknown_message_still_shows_its_english() -> None:
    text = Text(code="nowhere.at_all", english="Sun covers it")
    assert Words("fr").text(text) == "Sun covers it"


def test_halls_read_alike_however_the_site_writes_them() -> None:
    assert {Words("en").hall(name) for name in ("A", "a", "hall-a", "Hall A")} == {"Hall A"}
    assert Words("en").hall("north-wing") == "Hall north-wing"


def test_limits_lose_decimals_that_say_nothing() -> None:
    assert Words("en").edge(20.0) == "20"
    assert Words("fr").edge(1.22, 2) == "1,22"


def test_times_are_the_sites() -> None:
    words = Words("en", "Africa/El_Aaiun")
    at = datetime(2026, 6, 17, 10, 20, tzinfo=UTC)
    assert words.clock(at) == "11:20"
    assert words.moment(at, at.replace(day=18)) == "17/06 11:20"
    assert words.moment(None, at) == "–"
