"""`[emergency]`: how the site answers a shed, a cap or a demand-response event."""

from typing import Literal, get_args

from pydantic import Field

from igoudar.core.model_emergency import ORDER, Emergency
from igoudar.core.site_words import Percent, Table

LeverWord = Literal["battery", "caps", "jobs", "loads"]


class EmergencyTable(Table):
    """The whole table; every figure has a default."""

    levers: list[LeverWord] = Field(default_factory=lambda: list(get_args(LeverWord)))
    ramp_mw_per_min: float = Field(default=0.0, ge=0, le=1_000)
    margin_pct: Percent = 1.5
    response_s: float = Field(default=30.0, ge=1, le=3_600)
    resume_after_s: float = Field(default=300.0, ge=0, le=86_400)
    pause_at_least_s: float = Field(default=600.0, ge=0, le=86_400)
    deadline_margin_s: float = Field(default=900.0, ge=0, le=86_400)
    open_h: float = Field(default=4.0, gt=0, le=168)
    cap_least_pct: float = Field(default=85.0, gt=0, le=100)


def emergency(table: EmergencyTable) -> Emergency:
    """The model of `[emergency]`; levers keep their order whatever the file's."""
    return Emergency(
        levers=tuple(lever for lever in ORDER if lever in table.levers),
        ramp_w_per_min=table.ramp_mw_per_min * 1e6,
        margin_ratio=table.margin_pct / 100.0,
        response_s=table.response_s,
        resume_after_s=table.resume_after_s,
        pause_at_least_s=table.pause_at_least_s,
        deadline_margin_s=table.deadline_margin_s,
        open_s=table.open_h * 3600.0,
        cap_least_ratio=table.cap_least_pct / 100.0,
    )
