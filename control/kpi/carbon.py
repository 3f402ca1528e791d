"""Carbon usage effectiveness and the carbon of one job."""

from collections.abc import Iterable

EDITION = "ISO/IEC 30134-8:2022"


def emissions_g(supplies: Iterable[tuple[float, float]]) -> float:
    """CO2e of supplies of (energy [Wh], factor [g/kWh]), in grams."""
    return sum(energy_wh / 1e3 * factor for energy_wh, factor in supplies)


def cue(emitted_g: float, it_energy_wh: float) -> float | None:
    """Carbon usage effectiveness [kg/kWh], None when no IT energy was metered (ISO/IEC 30134-8)."""
    return emitted_g / it_energy_wh if it_energy_wh > 0 else None


def operational_g(it_energy_wh: float, pue: float, factor_g_per_kwh: float) -> float:
    """CO2e of running a job, its share of the overhead included [g] (SCI, ISO/IEC 21031)."""
    return it_energy_wh / 1e3 * pue * factor_g_per_kwh


def embodied_g(total_g: float, reserved_s: float, lifetime_s: float, resource_share: float) -> float:
    """A job's share of its hardware's embodied CO2e [g] (SCI: TE x TiR/EL x RR/ToR)."""
    return total_g * reserved_s / lifetime_s * resource_share
