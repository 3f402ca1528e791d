"""What a site lets its plan do beyond the plain one."""

from dataclasses import dataclass

from igoudar.core.model_guard import RAMP_C_PER_H


@dataclass(frozen=True, slots=True)
class WarmerSupply:
    """`[plan.cooling]`: whose `setpoint_c` the plan may raise, how far, and what that spares.

    Sources of the figures: as in the lab's scenarios (docs/planner.md).
    """

    setpoint_c: float  # as it stands without us
    most_c: float  # the envelope's end
    kind: str = "chiller"  # of the devices
    pue_per_k: float = 0.0058  # of IT power, spared by each K
    least_pue: float = 1.03  # fans and pumps: nothing spares more
    ramp_k_per_h: float = RAMP_C_PER_H

    @property
    def warmer_k(self) -> float:
        """From the setpoint to the envelope's end."""
        return self.most_c - self.setpoint_c


@dataclass(frozen=True, slots=True)
class Planning:
    """`[plan]` of a site file; left out, the plan keeps no reserve, caps nothing and pauses nothing."""

    reserve_w: float = 0.0  # always kept for wind that falls short
    reserve_share: float = 0.0  # of the wind forecast's P50 less P10; the larger counts
    caps: bool = False  # the plan may lower the power of GPUs whose jobs can wait
    pauses: bool = False  # the plan may pause running jobs that can wait
    cooling: WarmerSupply | None = None  # None = water and air are left alone
