"""Small marks that mean the same on every page: priorities, quality, panels without data."""

from html import escape

from igoudar.control.schema import QualityWord
from igoudar.dashboard.words import Words

# Priority = colour + shape + digit, so that none of the three is needed to read it.
_SHAPES = {
    1: '<rect x="2" y="2" width="20" height="20" rx="1.5"/>',
    2: '<path d="M12 1 23 22H1z"/>',
    3: '<path d="M12 1 23 12 12 23 1 12z"/>',
}


def priority_mark(priority: int, words: Words, *, active: bool = True) -> str:
    """Shape with its digit; grey when nothing is active."""
    shape = _SHAPES.get(priority, _SHAPES[3])
    tone = f"p{min(priority, 3)}" if active else "calm"
    raised = "18" if priority == 2 else "17"
    label = words.html("priority", priority=priority)
    return (
        f'<svg class="ig-mark {tone}" viewBox="0 0 24 24" role="img" aria-label="{label}">'
        f'{shape}<text x="12" y="{raised}">{priority}</text></svg>'
    )


def priority_class(priority: int | None) -> str:
    """CSS class of the worst active alarm on something."""
    return f" p{min(priority, 3)}" if priority else ""


def quality_class(quality: QualityWord) -> str:
    """Dashed outline for stale, plain outline for off and bad."""
    return "" if quality == "good" else f" q-{quality}"


def quality_mark(quality: QualityWord, words: Words) -> str:
    """The question mark of a value that can't be trusted."""
    if quality == "good":
        return ""
    label = escape(words.known("quality", quality))
    return f'<span class="ig-doubt" role="img" aria-label="{label}" title="{label}">?</span>'


def empty_panel(title: str, words: Words, css: str = "") -> str:
    """A panel that has no data, said so and greyed."""
    return (
        f'<section class="ig-panel ig-none {css}"><h2>{escape(title)}</h2>'
        f"<p>{words.html('no_data')}</p></section>"
    )
