"""Water usage effectiveness."""

EDITION = "ISO/IEC 30134-9:2022"


def wue(water_m3: float, it_energy_wh: float) -> float | None:
    """Water usage effectiveness [L/kWh], None when no IT energy was metered (ISO/IEC 30134-9)."""
    return water_m3 * 1e6 / it_energy_wh if it_energy_wh > 0 else None
