"""What happens now, what next, what needs a person: the API's sentences in three panels."""

from html import escape

from igoudar.control.schema import Overview, Sentence
from igoudar.dashboard.words import NONE, Words

SLOTS = ("now", "next", "needs_you")
SHOWN = 2  # sentences per panel; the rest stand on their own pages


def sentence_parts(overview: Overview | None, words: Words) -> list[tuple[str, str]]:
    """(slot, markup) of the three panels."""
    sentences = overview.sentences if overview else []
    grey = "" if overview else " ig-none"
    return [(slot, _panel(slot, [s for s in sentences if s.slot == slot], words, grey)) for slot in SLOTS]


def _panel(slot: str, sentences: list[Sentence], words: Words, grey: str) -> str:
    body = "".join(_sentence(sentence, words) for sentence in sentences[:SHOWN])
    head = _head(slot, sentences[0] if sentences else None, words)
    return f'<section class="ig-panel ig-say{grey}"><h4>{head}</h4>{body or f"<h3>{NONE}</h3>"}</section>'


def _head(slot: str, first: Sentence | None, words: Words) -> str:
    name = words.html(f"slot_{slot}")
    if first is None or first.span is None:
        return name
    start, end = (words.clock(edge) for edge in first.span)
    return f"{name} → {end}" if slot == "now" else f"{start} → {end}"


def _sentence(sentence: Sentence, words: Words) -> str:
    return f"<h3>{escape(words.text(sentence.title))}</h3><p>{escape(words.text(sentence.text))}</p>"
