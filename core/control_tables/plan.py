"""`[plan]`: what the plan keeps in reserve, and what it may touch."""

from pydantic import Field

from igoudar.core.model_plan import Planning
from igoudar.core.site_words import PowerW, Table, Words


class PlanTable(Table):
    """The whole table; every figure has a default, which changes nothing."""

    reserve: PowerW = 0.0
    reserve_share: float = Field(default=0.0, ge=0, le=2)
    caps: bool = False
    pauses: bool = False
    source: Words = ""


def planning(table: PlanTable) -> Planning:
    """The model of `[plan]`."""
    return Planning(table.reserve, table.reserve_share, table.caps, table.pauses)
