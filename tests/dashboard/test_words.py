from datetime import UTC, datetime

from igoudar.control.schema import Text
from igoudar.core.i18n import codes, placeholders
from igoudar.dashboard.words import NONE, Words


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


def test_what_the_audit_keeps_is_shown_as_it_is_but_for_times() -> None:
    words, now = Words("en", "Africa/El_Aaiun"), datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert words.recorded("2026-11-22T08:22:58.947690+00:00", now) == "09:22"
    assert words.recorded("2026-11-23T08:22:58+00:00", now) == "23/11 09:22"
    assert [words.recorded(kept, now) for kept in ("20261122", "73.4", "auto", "", None)] == [
        *("20261122", "73.4", "auto", NONE, NONE)
    ]
