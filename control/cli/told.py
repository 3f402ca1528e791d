"""Previews in words: old, new, unit, end and effect, before anybody says yes."""

from typing import TYPE_CHECKING

from igoudar.control.cli import show
from igoudar.core.units import format_quantity

if TYPE_CHECKING:
    from igoudar.control.schema_hands import PreviewView


def change(preview: "PreviewView", zone: str, lang: str) -> str:
    """One line: what changes from what to what, until when, and what it does to the grid's meter."""
    return show.plain(
        "preview",
        lang,
        target=preview.target,
        point=preview.point,
        old=amount(preview.old, preview.unit, lang),
        new=amount(preview.new, preview.unit, lang),
        until=show.local(preview.expires_at, zone),
        effect=effect(preview.effect_w, lang),
    )


def refusal(preview: "PreviewView", lang: str) -> str:
    """Why it would be refused now, "" when it would not."""
    return show.spoken(preview.refusal, lang) if preview.refusal else ""


def amount(value: "float | str | None", unit: str, lang: str) -> str:
    """A value with its unit, a word as it is."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else format_quantity(value, unit, lang)


def effect(power_w: float | None, lang: str) -> str:
    """A change of power with its sign; a dash when nobody knows."""
    if power_w is None:
        return "-"
    sign = "+" if power_w > 0 else ""
    return f"{sign}{format_quantity(power_w, 'w', lang)}"
