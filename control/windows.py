"""KPIs over one window, from the ledger, with all that qualifies them."""

from datetime import datetime, timedelta

import numpy as np

from igoudar.control.kpi import carbon, pue, renewable
from igoudar.control.ledger import EXPORT, IMPORT, Books, Ledger, Times
from igoudar.control.schema import KpiView
from igoudar.core.store.protocol import Series

QUARTER = timedelta(minutes=15)
PUE_CATEGORY = 2  # the IT meters stand at the halls' PDU outputs
PUE_BOUNDARY = "campus without desalination, electrolyser and battery losses / IT at PDU output"
SHARE_BOUNDARY = "campus: on-site generation and its battery over all consumption"


def floor_quarter(at: datetime) -> datetime:
    """The 15-min step that holds `at`."""
    return at - timedelta(seconds=at.timestamp() % QUARTER.total_seconds())


def quarter_edges(start: datetime, end: datetime) -> Times:
    """`start`, the quarters between, `end` [POSIX s]."""
    first = floor_quarter(start).timestamp() + QUARTER.total_seconds()
    inner = np.arange(first, end.timestamp(), QUARTER.total_seconds())
    return np.unique(np.concatenate([[start.timestamp()], inner, [end.timestamp()]]))


def latest_window(
    ledger: Ledger, series: tuple[Series, ...], now: datetime, length: timedelta
) -> tuple[datetime, datetime]:
    """The last window of a length that all series know the end of."""
    span = ledger.span(series)
    end = span[1] if span else now
    return end - length, end


def pue_view(ledger: Ledger, books: Books, start: datetime, end: datetime) -> KpiView:
    """PUE from the energies of both sides in the same window."""
    facility, it = books.of("transformer"), books.of("it")
    edges, coverage = _window(ledger, (*facility, *it), start, end)
    complete = bool(facility and it) and edges is not None
    facility_wh = _energy(ledger, facility, edges) if complete else None
    it_wh = _energy(ledger, it, edges) if complete else None
    value = pue.pue(facility_wh, it_wh) if facility_wh is not None and it_wh is not None else None
    return KpiView(
        name="pue",
        value=value,
        unit="ratio",
        start=start,
        end=end,
        coverage=coverage if complete else 0.0,
        edition=pue.EDITION,
        category=PUE_CATEGORY,
        boundary=PUE_BOUNDARY,
        inputs={"facility_wh": facility_wh, "it_wh": it_wh},
    )


def cue_view(ledger: Ledger, books: Books, start: datetime, end: datetime, grid_g_per_kwh: float) -> KpiView:
    """CUE: the grid's carbon over IT energy; on-site sun and wind count as zero."""
    grid, it = books.of("grid"), books.of("it")
    edges, coverage = _window(ledger, (*grid, *it), start, end)
    complete = bool(grid and it) and edges is not None
    import_wh = _energy(ledger, grid, edges) if complete else None
    it_wh = _energy(ledger, it, edges) if complete else None
    known = import_wh is not None and it_wh is not None
    emitted_g = carbon.emissions_g([(import_wh or 0.0, grid_g_per_kwh)])
    return KpiView(
        name="cue",
        value=carbon.cue(emitted_g, it_wh or 0.0) if known else None,
        unit="kg_per_kwh",
        start=start,
        end=end,
        coverage=coverage if complete else 0.0,
        edition=carbon.EDITION,
        boundary="grid import at the site's carbon factor / IT at PDU output",
        inputs={"import_wh": import_wh, "it_wh": it_wh, "grid_g_per_kwh": grid_g_per_kwh},
    )


def share_view(ledger: Ledger, books: Books, start: datetime, end: datetime) -> KpiView:
    """Renewable share, energy-weighted over 15-min steps; the battery's memory starts with the ledger."""
    wanted = energy_series(books)
    edges, coverage = _window(ledger, wanted, start, end)
    steps = share_steps(ledger, books, edges[0], edges[-1]) if edges is not None else []
    consumption_wh = sum(step.consumption_wh for step in steps if step)
    return KpiView(
        name="renewable_share",
        value=renewable.renewable_share(steps),
        unit="ratio",
        start=start,
        end=end,
        coverage=coverage,
        boundary=SHARE_BOUNDARY,
        inputs={
            "renewable_wh": sum(step.renewable_wh for step in steps if step) if steps else None,
            "consumption_wh": consumption_wh if steps else None,
            "import_wh": _energy(ledger, books.of("grid"), edges) if edges is not None else None,
        },
    )


def energy_series(books: Books) -> tuple[Series, ...]:
    """The counters that the renewable share needs."""
    both = (books.of(role, way) for role in ("grid", "battery") for way in (IMPORT, EXPORT))
    return (*books.of("pv"), *books.of("wind"), *(one for group in both for one in group))


def share_steps(ledger: Ledger, books: Books, start_s: float, end_s: float) -> list[renewable.Share | None]:
    """Shares of the steps inside a window; the stock is carried from the ledger's first sample."""
    span = ledger.span(energy_series(books))
    if span is None:
        return []
    edges = np.unique(np.concatenate([quarter_edges(*span), [start_s, end_s]]))
    steps = renewable.shares(quarters(ledger, books, edges), renewable.Stock())
    inside = (edges[:-1] >= start_s - 0.5) & (edges[1:] <= end_s + 0.5)
    return [step for step, wanted in zip(steps, inside, strict=True) if wanted]


def quarters(ledger: Ledger, books: Books, edges: Times) -> list[renewable.Quarter | None]:
    """The campus' energies per interval, None where a meter is unknown."""
    columns = [
        ledger.energies_wh((*books.of("pv"), *books.of("wind")), edges),
        ledger.energies_wh(books.of("grid"), edges),
        ledger.energies_wh(books.of("grid", EXPORT), edges),
        ledger.energies_wh(books.of("battery", EXPORT), edges),
        ledger.energies_wh(books.of("battery"), edges),
    ]
    rows = np.column_stack(columns)
    return [None if np.isnan(row).any() else renewable.Quarter(*map(float, row)) for row in rows]


def _window(
    ledger: Ledger, series: tuple[Series, ...], start: datetime, end: datetime
) -> tuple[Times | None, float]:
    """The part of a window that all series know (its two edges) and the share of it that was read."""
    span = ledger.span(series)
    if span is None or min(end, span[1]) <= max(start, span[0]):
        return None, 0.0
    edges = np.array([max(start, span[0]).timestamp(), min(end, span[1]).timestamp()])
    return edges, min(1.0, ledger.covered_s(series, edges) / (end - start).total_seconds())


def _energy(ledger: Ledger, series: tuple[Series, ...], edges: Times | None) -> float | None:
    if edges is None or not series:
        return None
    energy = float(ledger.energies_wh(series, edges).sum())
    return None if np.isnan(energy) else energy
