"""`[guard]`: what nothing and nobody may pass, whoever asks."""

from typing import Annotated, Literal

from pydantic import Field

from igoudar.core.model_guard import RAMP_C_PER_H, TAPE_RAMP_C_PER_H, THERMAL_C, Guarding, PointLimit
from igoudar.core.site_words import DurationS, Percent, Table, Words

ClassWord = Literal["jobs", "caps", "battery", "curtailment", "cooling", "loads"]
ModeWord = Literal["observe", "advise", "auto"]
ThermalWord = Literal["recommended", "A1", "A2"]
KindWord = Literal["inverter", "battery", "turbine", "chiller", "cdu", "dry_cooler", "cooling_plant",
                   "desalination", "electrolyser", "gpu", "pdu", "power_shelf"]  # fmt: skip


class LimitEntry(Table):
    """A point of one kind of device, held closer than its profile does."""

    kind: KindWord
    point: Words
    min: float | None = None
    max: float | None = None
    every: Annotated[DurationS, Field(ge=0)] | None = None  # least time between two writes
    deadband: float | None = Field(default=None, ge=0)
    source: Words = ""


class GuardTable(Table):
    """The whole table; every figure has a default."""

    two_person: list[ClassWord] = Field(default_factory=list)
    resume_by_max: Annotated[DurationS, Field(gt=0, le=7 * 86_400)] = 43_200.0
    proposal_life: Annotated[DurationS, Field(gt=0, le=7 * 86_400)] = 1_800.0
    every: Annotated[DurationS, Field(ge=0, le=86_400)] = 10.0
    daily_writes: int = Field(default=20, ge=0, le=10_000)
    hold: Annotated[DurationS, Field(ge=0, le=86_400)] = 300.0
    thermal_class: ThermalWord = "recommended"
    tape: bool = False
    soc_margin_pct: Percent = 1.0
    plan_loads: bool = False
    modes: dict[ClassWord, ModeWord] = Field(default_factory=dict)
    limits: list[LimitEntry] = Field(default_factory=list)


def guarding(table: GuardTable) -> Guarding:
    """The model of `[guard]`."""
    return Guarding(
        two_person=frozenset(table.two_person),
        resume_by_max_s=table.resume_by_max,
        proposal_life_s=table.proposal_life,
        every_s=table.every,
        daily_writes=table.daily_writes,
        hold_s=table.hold,
        inlet_c=THERMAL_C[table.thermal_class],
        ramp_c_per_h=TAPE_RAMP_C_PER_H if table.tape else RAMP_C_PER_H,
        soc_margin_pct=table.soc_margin_pct,
        plan_loads=table.plan_loads,
        modes={str(name): str(mode) for name, mode in table.modes.items()},
        limits={
            (str(entry.kind), entry.point): PointLimit(entry.min, entry.max, entry.every, entry.deadband)
            for entry in table.limits
        },
    )
