"""What people send."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from igoudar.control.schema import ModeWord, RoleWord


class Body(BaseModel):
    """Base of every request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ModeBody(Body):
    """Another mode, and why."""

    mode: ModeWord
    reason: str = Field(min_length=1, max_length=500)


class JobBody(Body):
    """Why a job is steered, and until when."""

    reason: str = Field(min_length=1, max_length=500)
    until: AwareDatetime | None = None


class ApproveBody(Body):
    """The plan that a person read when they approved, and why."""

    plan_version: str = Field(min_length=1, max_length=100)
    reason: str = Field(min_length=1, max_length=500)


class AcknowledgeBody(Body):
    """What a person says to an alarm."""

    comment: str = Field(default="", max_length=500)


class UserBody(Body):
    """A new user."""

    name: str = Field(min_length=1, max_length=64)
    role: RoleWord
