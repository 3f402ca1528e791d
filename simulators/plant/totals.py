"""Energies of a plant since its start, and how well they close."""

from dataclasses import dataclass


@dataclass(slots=True)
class Totals:
    """Energies [Wh] on the campus bus.

    Each is its machines' own count, the grid's the integral of what was left over, so that the balance is a
    check and no identity. `losses` are those of transformers and distribution; the battery keeps its own.
    """

    pv_available: float = 0.0
    pv: float = 0.0
    wind_available: float = 0.0
    wind: float = 0.0
    grid_import: float = 0.0
    grid_export: float = 0.0
    battery_charge: float = 0.0
    battery_discharge: float = 0.0
    battery_losses: float = 0.0
    battery_stored: float = 0.0  # more than at the start
    urgent: float = 0.0
    flexible: float = 0.0
    cooling: float = 0.0
    losses: float = 0.0
    desalination: float = 0.0
    electrolyser: float = 0.0
    work_gpu_s: float = 0.0
    urgent_cut: float = 0.0  # what power limits took from urgent load: nobody should ever do that

    @property
    def it(self) -> float:
        """IT energy [Wh]."""
        return self.urgent + self.flexible

    @property
    def curtailed(self) -> float:
        """Energy that sun and wind offered and nobody took [Wh]."""
        return self.pv_available - self.pv + self.wind_available - self.wind

    @property
    def facility(self) -> float:
        """Energy into the transformers: IT, cooling, losses [Wh]."""
        return self.it + self.cooling + self.losses

    @property
    def supplied(self) -> float:
        """Energy into the campus bus [Wh]."""
        return self.pv + self.wind + self.grid_import + self.battery_discharge

    @property
    def used(self) -> float:
        """Energy out of the campus bus [Wh]."""
        return self.facility + self.desalination + self.electrolyser + self.battery_charge + self.grid_export

    def balance_error(self) -> float:
        """|in - out| / in, on the campus bus and in the battery."""
        bus = self.supplied - self.used
        kept = self.battery_charge - self.battery_discharge - self.battery_losses - self.battery_stored
        return (abs(bus) + abs(kept)) / self.supplied if self.supplied > 0 else 0.0
