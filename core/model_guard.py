"""What the guard knows of a site: limits that no plan, person or event passes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# ASHRAE TC 9.9 (2021), air at the inlet: recommended envelope and allowable classes [degC].
THERMAL_C = {"recommended": (18.0, 27.0), "A1": (15.0, 32.0), "A2": (10.0, 35.0)}
RAMP_C_PER_H, TAPE_RAMP_C_PER_H = 20.0, 5.0  # the same source: without and with tape drives


@dataclass(frozen=True, slots=True)
class PointLimit:
    """Bounds of one point of a kind; None = the profile's, or the table's."""

    minimum: float | None = None
    maximum: float | None = None
    every_s: float | None = None
    deadband: float | None = None


@dataclass(frozen=True, slots=True)
class Guarding:
    """`[guard]` of a site file; the figures are our assumptions where no source is named."""

    two_person: frozenset[str] = frozenset()  # classes whose writes by people need a second one
    resume_by_max_s: float = 43_200.0  # longest pause of a job
    proposal_life_s: float = 1_800.0
    every_s: float = 10.0  # least time between two writes of one point
    daily_writes: int = 20  # of a point whose memory wears: 10,000 writes then last 500 days
    hold_s: float = 300.0  # stale inputs: hold for so long, then fail safe
    inlet_c: tuple[float, float] = THERMAL_C["recommended"]
    ramp_c_per_h: float = RAMP_C_PER_H
    soc_margin_pct: float = 1.0  # before the battery's own limits
    plan_loads: bool = False  # the plan times desalination and electrolyser; else their own rule does
    modes: Mapping[str, str] = field(default_factory=dict)  # class -> the mode that it starts in
    limits: Mapping[tuple[str, str], PointLimit] = field(default_factory=dict)  # (kind, point)
