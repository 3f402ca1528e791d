"""A line of the last hours over its normal band."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

History = Sequence[tuple[datetime, float | None]]
Band = tuple[float, float] | None

WIDTH, HEIGHT = 100.0, 24.0


def sparkline(history: History, band: Band, *, limit: float | None = None, label: str, css: str = "") -> str:
    """SVG that stretches to its box; missing values are gaps, the last one carries a square."""
    known = [value for _, value in history if value is not None]
    low, high = _range(known, band, limit)
    body = _band(band, low, high)
    paths = "".join(f'<path d="{path}"/>' for path in _segments(history, low, high))
    dot = _last(history, low, high)
    return (
        f'<div class="ig-spark {css}" role="img" aria-label="{escape(label)}">'
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" aria-hidden="true">'
        f"{body}{paths}</svg>{dot}</div>"
    )


def _range(known: Sequence[float], band: Band, limit: float | None) -> tuple[float, float]:
    values = [*known, *(band or ()), *(() if limit is None or band else (limit,))]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def _height(value: float, low: float, high: float) -> float:
    return HEIGHT * (1 - (value - low) / (high - low))


def _band(band: Band, low: float, high: float) -> str:
    if band is None:
        return f'<rect class="band" x="0" y="0" width="{WIDTH:g}" height="{HEIGHT:g}"/>'
    top, bottom = _height(band[1], low, high), _height(band[0], low, high)
    return f'<rect class="band" x="0" y="{top:.2f}" width="{WIDTH:g}" height="{max(bottom - top, 0.5):.2f}"/>'


def _segments(history: History, low: float, high: float) -> list[str]:
    paths, current = [], ""
    for index, (_, value) in enumerate(history):
        if value is None:
            paths.append(current)
            current = ""
            continue
        x = WIDTH * index / max(len(history) - 1, 1)
        current += f"{'L' if current else 'M'}{x:.2f} {_height(value, low, high):.2f}"
    return [path for path in [*paths, current] if path]


def _last(history: History, low: float, high: float) -> str:
    if not history or history[-1][1] is None:
        return ""
    share = _height(history[-1][1], low, high) / HEIGHT
    return f'<i style="top:{100 * share:.1f}%"></i>'
