"""Power usage effectiveness and its partial form, always from energies."""

from collections.abc import Iterable
from math import hypot, sqrt

EDITION = "ISO/IEC 30134-2:2026"
FUEL_WH = {
    # Energy content per unit, EN 50600-4-2 (KPIS.md, section 1).
    "diesel_l": 9.9e3,
    "gas_m3": 10.5e3,
    "hydrogen_kg": 38.9e3,
    "bioethanol_l": 6.0e3,
}


def pue(facility_energy_wh: float, it_energy_wh: float) -> float | None:
    """Power usage effectiveness over one window.

    Args:
        facility_energy_wh: Energy entering the data centre in the window [Wh].
        it_energy_wh: Energy reaching IT equipment in the same window [Wh].

    Returns:
        Facility over IT energy, or None when no IT energy was metered.

    Source: ISO/IEC 30134-2, from energies: an average of ratios is not a PUE.
    """
    return facility_energy_wh / it_energy_wh if it_energy_wh > 0 else None


def pooled_pue(windows: Iterable[tuple[float, float]]) -> float | None:
    """PUE over several windows of (facility, IT) energies [Wh]: sums first, then the ratio."""
    pairs = list(windows)
    return pue(sum(facility for facility, _ in pairs), sum(it for _, it in pairs))


def partial_pue(it_energy_wh: float, overhead_wh: Iterable[float]) -> float | None:
    """PUE inside a named sub-boundary: (IT + overhead inside it) / IT inside it [Wh]."""
    return pue(it_energy_wh + sum(overhead_wh), it_energy_wh)


def fuel_energy_wh(fuel: str, quantity: float) -> float:
    """Energy of a fuel that crosses the boundary [Wh]; `quantity` in the unit of the fuel's suffix."""
    return FUEL_WH[fuel] * quantity


def pue_limits(value: float, meter_pct: float, transformer_pct: float = 0.0) -> float:
    """Limit of error of a PUE from two independent metering chains, in quadrature (KPIS.md, section 5)."""
    chain = hypot(meter_pct, transformer_pct) / 100
    return value * hypot(chain, chain)


def pue_expanded_uncertainty(value: float, meter_pct: float, coverage_factor: float = 2.0) -> float:
    """Expanded uncertainty of a PUE: limits of error as rectangular distributions (GUM)."""
    return coverage_factor * pue_limits(value, meter_pct) / sqrt(3)
