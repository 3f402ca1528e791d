"""What a weather service foretold, bulletin by bulletin, read only as far as it was issued."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.history import LEADS, LEADS_AHEAD
from igoudar.control.planning.table import Floats, Integers

STALE_H = 24  # an older bulletin is not used

# Power of a modern onshore turbine of the 6 MW class against its rating, by wind at hub height, rounded from
# makers' published curves; the correction learned on site does the rest.
CURVE_MPS = np.array([0.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 25.0, 25.5, 60.0])
CURVE_RATIO = np.array([0, 0, 0.03, 0.08, 0.16, 0.27, 0.41, 0.58, 0.75, 0.89, 0.97, 1, 1, 0, 0], dtype=float)


@dataclass(frozen=True, slots=True)
class Bulletins:
    """One quantity, hour by hour, as foretold at each issue hour (hours since the Unix epoch), in order."""

    issued_h: Integers
    first_h: Integers  # the first hour that each bulletin speaks of
    values: NDArray[np.float64]  # bulletins x hours; NaN beyond a bulletin's end

    def at(self, now_h: int) -> Floats:
        """What the newest bulletin issued by `now_h` says of that hour and the 48 after; else NaN."""
        known = int(np.searchsorted(self.issued_h, now_h, side="right")) - 1
        if known < 0 or now_h - int(self.issued_h[known]) > STALE_H:
            return np.full(LEADS, np.nan)
        columns = now_h + LEADS_AHEAD - int(self.first_h[known])
        inside = (columns >= 0) & (columns < self.values.shape[1])
        row = self.values[known][np.where(inside, columns, 0)]
        return _carried(np.where(inside, row, np.nan))

    def over(self, first_h: int, hours: int) -> NDArray[np.float64]:
        """What was foretold at each of some hours: hours x LEADS."""
        return np.array([self.at(first_h + hour) for hour in range(hours)])


def _carried(row: Floats) -> Floats:
    """A bulletin that ends a few hours early speaks of them as of the day before."""
    gaps = np.isnan(row)
    gaps[:24] = False
    row[gaps] = row[np.flatnonzero(gaps) - 24]
    return row


def power_ratio(wind_mps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of its rating that a turbine gives at a wind speed at hub height [m/s]; NaN stays NaN."""
    return np.asarray(np.interp(wind_mps, CURVE_MPS, CURVE_RATIO) + 0.0 * wind_mps)


def corrected(curve: Mapping[str, Floats], foretold: NDArray[np.float64]) -> NDArray[np.float64]:
    """`foretold` through a learned correction (`foretold` and `measured` of the same length)."""
    return np.asarray(np.interp(foretold, curve["foretold"], curve["measured"]) + 0.0 * foretold)


def correction(foretold: Floats, measured: Floats, pieces: int = 8) -> Mapping[str, Floats]:
    """How what is measured follows what was foretold: means of equally many hours, made to rise."""
    known = np.isfinite(foretold) & np.isfinite(measured)
    order = np.argsort(foretold[known])
    told, came = foretold[known][order], measured[known][order]
    parts = [p for p in np.array_split(np.arange(len(told)), pieces) if len(p)]
    means = [(told[p].mean(), came[p].mean()) for p in parts] or [(0.0, 0.0), (1.0, 1.0)]
    x, y = np.array(means).T
    return {"foretold": x, "measured": np.maximum.accumulate(y)}
