"""The API's documents about proposals, overrides, hands-off and what a command would change."""

from datetime import datetime
from typing import Literal

from igoudar.control.schema import Document, Text

ClassWord = Literal["jobs", "caps", "battery", "curtailment", "cooling", "loads"]


class ProposalView(Document):
    """One command that waits for a person, or for a second one."""

    id: str
    at: datetime
    expires_at: datetime
    actuator: ClassWord
    target: str
    point: str
    before: str | None
    after: str | None
    unit: str
    effect_w: float | None  # on what the site takes from the grid, positive = more
    reason: Text
    who: str
    approvals_needed: int
    approved_by: list[str]
    state: str


class OverrideView(Document):
    """A point or a job that a person holds."""

    target: str
    point: str  # of a job: hold, delay or suspend
    value: float | None
    unit: str
    at: datetime
    until: datetime
    who: str
    reason: str


class PreviewView(Document):
    """What a command would change, and whether it would be let through."""

    target: str
    point: str
    old: float | str | None
    new: float | str | None
    unit: str
    expires_at: datetime
    effect_w: float | None
    refusal: Text | None = None
    waits_for: int = 0  # more people must approve


class OutcomeView(Document):
    """What became of a person's command."""

    command_id: str
    target: str
    point: str
    result: str  # done, or proposed: it waits for a second person
    proposal_id: str | None = None
    preview: PreviewView | None = None


class NodeView(Document):
    """A node of the scheduler."""

    name: str
    state: str
    gpus: int  # the scheduler's own count
    may_power_down: bool  # idle and drained
    off: bool


class HandsOffView(Document):
    """Whether nothing may be sent."""

    on: bool
    who: str = ""
    when: datetime | None = None  # wall
    why: str = ""
