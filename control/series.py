"""Mean campus powers and ratios per 15-min step of the last day, from the ledger's energies."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from igoudar.control.kpi import pue, renewable
from igoudar.control.ledger import IMPORT, Books, Ledger, Times
from igoudar.control.trends import day_steps
from igoudar.control.windows import QUARTER, energy_series, quarter_edges, quarters

PER_HOUR = 4.0
Column = list[float | None]


@dataclass(frozen=True, slots=True)
class DaySeries:
    """Columns over the last 96 steps; None where a meter is unknown."""

    time: list[datetime]
    renewable_w: Column
    load_w: Column
    it_w: Column
    import_w: Column
    pue: Column
    renewable_share: Column


def day_series(ledger: Ledger, books: Books, now: datetime) -> DaySeries:
    """The last 24 h up to the running step, which is left empty until it ends."""
    steps = day_steps(now)
    edges = np.array([step.timestamp() for step in (*steps, steps[-1] + QUARTER)])
    facility = _wh(ledger, books, edges, ("transformer", IMPORT))
    it = _wh(ledger, books, edges, ("it", IMPORT))
    others = [_wh(ledger, books, edges, (role, IMPORT), 0.0) for role in ("desalination", "electrolyser")]
    return DaySeries(
        steps,
        _power(
            _wh(ledger, books, edges, ("pv", IMPORT), 0.0) + _wh(ledger, books, edges, ("wind", IMPORT), 0.0)
        ),
        _power(facility + others[0] + others[1]),
        _power(it),
        _power(_wh(ledger, books, edges, ("grid", IMPORT))),
        [_pue(f, i) for f, i in zip(facility.tolist(), it.tolist(), strict=True)],
        _shares(ledger, books, steps),
    )


def mean_powers(ledger: Ledger, books: Books, window_s: float) -> dict[tuple[str, str], float] | None:
    """Mean power per role and direction over the latest window that all meters know [W].

    The meters are read at different instants; energies over one common window balance, instants don't.
    """
    span = ledger.span(books.all)
    if span is None:
        return None
    end_s = span[1].timestamp()
    edges = np.array([max(span[0].timestamp(), end_s - window_s), end_s])
    hours = (edges[1] - edges[0]) / 3600
    means = {key: float(ledger.energies_wh(series, edges)[0]) / hours for key, series in books.series.items()}
    return None if any(np.isnan(mean) for mean in means.values()) else means


def _wh(
    ledger: Ledger, books: Books, edges: Times, key: tuple[str, str], absent: float = float("nan")
) -> Times:
    series = books.series.get(key)
    return ledger.energies_wh(series, edges) if series else np.full(len(edges) - 1, absent)


def _power(energy_wh: Times) -> Column:
    return [None if np.isnan(wh) else float(wh) * PER_HOUR for wh in energy_wh]


def _pue(facility_wh: float, it_wh: float) -> float | None:
    return None if np.isnan(facility_wh) or np.isnan(it_wh) else pue.pue(facility_wh, it_wh)


def _shares(ledger: Ledger, books: Books, steps: list[datetime]) -> Column:
    span = ledger.span(energy_series(books))
    if span is None:
        return [None] * len(steps)
    edges = quarter_edges(*span)
    found = renewable.shares(quarters(ledger, books, edges), renewable.Stock())
    by_start = {edge: share.ratio for edge, share in zip(edges.tolist(), found, strict=False) if share}
    return [by_start.get(step.timestamp()) for step in steps]
