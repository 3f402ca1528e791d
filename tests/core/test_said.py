"""Refusals are told in the reader's language, wherever they were raised."""

import re
from pathlib import Path

import pytest

from igoudar.core import i18n
from igoudar.core.errors import CommandError
from igoudar.core.i18n import LANGUAGES, codes, placeholders
from igoudar.core.said import known, said, told

ROOT = Path(i18n.__file__).parents[2]
USED = re.compile(r'"(refusal\.\w+)"')


def sources() -> str:
    files = [path for room in ("app", "control") for path in (ROOT / room).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_what_when_and_next_are_told_in_the_language_of_the_reader() -> None:
    error = said(CommandError, "refusal.no_job", where="17")
    assert str(error) == told(error, "en") == "17: no such job. `igoudar job list` shows them"
    assert told(error, "fr") == "17: aucun travail de ce nom. `igoudar job list` les montre"


def test_a_parameter_may_be_a_word_of_the_catalogue_itself() -> None:
    error = said(CommandError, "refusal.event_over", where="e", state_code="events.state_done")
    assert str(error) == "e: it is done already"
    assert told(error, "fr") == "e: son état est déjà : terminé"


def test_a_detail_is_added_and_an_unknown_code_is_told_as_it_came() -> None:
    error = said(CommandError, "guard.refused", detail="slurmctld is down")
    assert told(error, "fr").endswith("(slurmctld is down)")
    newer = known(CommandError("no such comet", where="x"), "refusal.no_comet", {})
    assert told(newer, "fr") == "x: no such comet"
    assert told(CommandError("as it is"), "fr") == "as it is"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_refusal_that_is_raised_has_its_words_and_all_words_are_raised(lang: str) -> None:
    found = {code for code in codes(lang) if code.startswith("refusal.")}
    used = set(USED.findall(sources()))
    assert len(used) > 30
    assert used <= found
    assert {code for code in found if not code.endswith("_fix") and ".state_" not in code} == used
    assert {code.removesuffix("_fix") for code in found if code.endswith("_fix")} <= used
    for code in used:  # what to do next asks for nothing that is not told
        assert placeholders(codes(lang).get(f"{code}_fix", "")) <= {"job"}
