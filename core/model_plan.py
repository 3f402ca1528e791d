"""What a site lets its plan do beyond the plain one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planning:
    """`[plan]` of a site file; left out, the plan keeps no reserve, caps nothing and pauses nothing."""

    reserve_w: float = 0.0  # always kept for wind that falls short
    reserve_share: float = 0.0  # of the wind forecast's P50 less P10; the larger counts
    caps: bool = False  # the plan may lower the power of GPUs whose jobs can wait
    pauses: bool = False  # the plan may pause running jobs that can wait
