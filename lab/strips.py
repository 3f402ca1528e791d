"""One period as a drawing: supply and load above, import and the battery's charge below; plain SVG."""

from dataclasses import dataclass
from html import escape

import numpy as np
import polars as pl

from igoudar.control.planning.table import Floats

STEPS_PER_HOUR = 4
PX_PER_HOUR, ABOVE_PX, BELOW_PX, GAP_PX, DAY_H = 4, 96, 36, 8, 24
HEIGHT_PX = ABOVE_PX + GAP_PX + BELOW_PX


@dataclass(frozen=True, slots=True)
class Scale:
    """What the full height of each part stands for, the same in all strips of a report."""

    above_w: float
    below_w: float
    battery_wh: float


def scale_of(tables: list[pl.DataFrame], battery_wh: float) -> Scale:
    """One scale for several `site` tables."""
    above = max((float(max(_supply(t).max(), _load(t).max())) for t in tables), default=1.0)
    below = max((float(np.max(t["import_w"].to_numpy(), initial=0.0)) for t in tables), default=1.0)
    return Scale(max(above, 1.0), max(below, 1.0), max(battery_wh, 1.0))


def _supply(table: pl.DataFrame) -> Floats:
    return np.asarray((table["pv_w"] + table["wind_w"]).to_numpy(), dtype=float)


def _base(table: pl.DataFrame) -> Floats:
    """Everything that does not move: urgent load, all overhead, desalination, electrolyser."""
    names = ("urgent_w", "cooling_w", "desalination_w", "electrolyser_w")
    return np.asarray(table.select(pl.sum_horizontal(names)).to_series().to_numpy(), dtype=np.float64)


def _load(table: pl.DataFrame) -> Floats:
    return np.asarray(_base(table) + table["flexible_w"].to_numpy(), dtype=np.float64)


def strip(table: pl.DataFrame, scale: Scale, label: str) -> str:
    """The drawing of one period's `site` rows; `label` says in words what it shows."""
    width = -(-table.height // STEPS_PER_HOUR) * PX_PER_HOUR
    pv = table["pv_w"].to_numpy()
    parts = [
        _days(width),
        _area(_supply(table), scale.above_w, ABOVE_PX, ABOVE_PX, "wind"),
        _area(pv, scale.above_w, ABOVE_PX, ABOVE_PX, "solar"),
        _line(_base(table), scale.above_w, ABOVE_PX, ABOVE_PX, "thin"),
        _line(_load(table), scale.above_w, ABOVE_PX, ABOVE_PX, "thick"),
        _area(table["import_w"].to_numpy(), scale.below_w, BELOW_PX, HEIGHT_PX, "grid"),
        _line(table["soc_wh"].to_numpy(), scale.battery_wh, BELOW_PX, HEIGHT_PX, "charge"),
    ]
    head = f'<svg viewBox="0 0 {width} {HEIGHT_PX}" role="img" preserveAspectRatio="none">'
    return f"{head}<title>{escape(label)}</title>{''.join(parts)}</svg>"


def _days(width: int) -> str:
    lines = "".join(f"M{x} 0V{HEIGHT_PX}" for x in range(0, width, DAY_H * PX_PER_HOUR))
    return f'<path class="grid-line" d="{lines}M0 {ABOVE_PX}H{width}M0 {HEIGHT_PX}H{width}"/>'


def _heights(values: Floats, full: float, height: int) -> list[int]:
    """Hourly means as whole pixels."""
    padded = np.pad(np.asarray(values, dtype=float), (0, -len(values) % STEPS_PER_HOUR), mode="edge")
    means = padded.reshape(-1, STEPS_PER_HOUR).mean(axis=1)
    return [int(h) for h in np.rint(np.clip(means / full, 0.0, 1.0) * height)]


def _steps(heights: list[int]) -> str:
    """A staircase by relative moves, from the first height on."""
    path, before = [], heights[0]
    for height in heights:
        path.append((f"v{before - height}" if height != before else "") + f"h{PX_PER_HOUR}")
        before = height
    return "".join(path)


def _area(values: Floats, full: float, height: int, floor: int, name: str) -> str:
    heights = _heights(values, full, height)
    return f'<path class="{name}" d="M0 {floor}V{floor - heights[0]}{_steps(heights)}V{floor}Z"/>'


def _line(values: Floats, full: float, height: int, floor: int, name: str) -> str:
    heights = _heights(values, full, height)
    return f'<path class="{name}" d="M0 {floor - heights[0]}{_steps(heights)}"/>'


def bars(rows: list[tuple[str, float, str]]) -> str:
    """Horizontal bars: (name, value, value in words), longest at full width."""
    most = max((abs(value) for _, value, _ in rows), default=1.0) or 1.0
    drawn = [
        f"<tr><th>{escape(name)}</th><td class='bar'>"
        f"<span style='width:{100 * abs(value) / most:.1f}%'></span></td><td>{escape(words)}</td></tr>"
        for name, value, words in rows
    ]
    return f"<table class='bars'>{''.join(drawn)}</table>"
