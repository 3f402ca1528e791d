"""KPI tiles: value, unit, 24 h line over the normal band, limit in text."""

from collections.abc import Sequence
from html import escape

from igoudar.control.schema import Tile
from igoudar.dashboard.charts.marks import priority_class, priority_mark, quality_class, quality_mark
from igoudar.dashboard.charts.spark import sparkline
from igoudar.dashboard.words import NONE, PowerUnit, Words, power_unit

CODES = (
    "renewable_share",
    "pue",
    "it_load",
    "battery",
    "grid_import",
    "worst_inlet",
    "jobs_waiting",
    "data_quality",
)
_SHARES = frozenset({"renewable_share", "data_quality"})  # ratios that people read as per cent


def tile_markup(tile: Tile, words: Words) -> str:
    """One tile as HTML."""
    name = words.known("tile", tile.code)
    value, unit = tile_figure(tile, words)
    mark = priority_mark(tile.priority, words) if tile.priority else quality_mark(tile.quality, words)
    note = escape(_note(tile, words))
    return (
        f'<div class="ig-tile{priority_class(tile.priority)}{quality_class(tile.quality)}" role="group"'
        f' aria-label="{escape(name)}">{mark}<h3 title="{escape(name)}">{escape(name)}</h3>'
        f"<p><b>{value}</b><span>{unit}</span></p>"
        f"{sparkline(tile.history, tile.band, limit=tile.limit, label=_span(tile, words))}"
        f'<small title="{note}">{note}</small></div>'
    )


def empty_tile(code: str, words: Words) -> str:
    """A tile whose value is not known at all."""
    return (
        f'<div class="ig-tile ig-none" role="group"><h3>{escape(words.known("tile", code))}</h3>'
        f"<p><b>{NONE}</b></p>{sparkline((), None, label=words('no_data'))}"
        f"<small>{words.html('no_data')}</small></div>"
    )


def tile_figure(tile: Tile, words: Words) -> tuple[str, str]:
    """Value and unit as shown; no unit where no value is."""
    if tile.value is None:
        return NONE, ""
    scale, unit, digits = _scale(tile)
    return words.number(tile.value / scale, digits), unit


def tiles_parts(tiles: Sequence[Tile] | None, words: Words) -> list[tuple[str, str]]:
    """(code, markup) per tile; without a document, the tiles that would be there."""
    if tiles is None:
        return [(code, empty_tile(code, words)) for code in CODES]
    return [(tile.code, tile_markup(tile, words)) for tile in tiles]


def _scale(tile: Tile) -> tuple[float, str, int]:
    """(divisor, unit, digits) by which a tile's base values are read."""
    if tile.unit == "w":
        unit = _tile_power(tile)
        return unit.divisor, unit.symbol, unit.digits
    if tile.unit == "ratio":
        return (0.01, "%", 1) if tile.code in _SHARES else (1.0, "", 2)
    return {"pct": (1.0, "%", 0), "c": (1.0, "°C", 1)}.get(tile.unit, (1.0, "", 0))


def _tile_power(tile: Tile) -> PowerUnit:
    known = [abs(value) for _, value in tile.history if value is not None]
    return power_unit(max([*known, abs(tile.value or 0.0), *map(abs, tile.band or ()), tile.limit or 0.0]))


def _note(tile: Tile, words: Words) -> str:
    if tile.note is not None:
        return words.text(tile.note)
    return _limits(tile, words) or " "


def _limits(tile: Tile, words: Words) -> str:
    scale, _, digits = _scale(tile)
    if tile.limit is not None:
        return words("limit", limit=words.edge(tile.limit / scale, digits))
    if tile.band is not None:
        low, high = (words.edge(edge / scale, digits) for edge in tile.band)
        return words("normal_band", low=low, high=high)
    return ""


def _span(tile: Tile, words: Words) -> str:
    known = [value for _, value in tile.history if value is not None]
    if not known:
        return words("no_history")
    scale, unit, digits = _scale(tile)
    low, high = (words.number(edge / scale, digits) for edge in (min(known), max(known)))
    return words("history_span", low=low, high=f"{high} {unit}".strip())
