"""The tables of what acts on the plant: who may, what was proposed, overridden, asked for and suspended."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from igoudar.control.records.tables import Base


class UserRow(Base):
    """A person or a program that may call; only a hash of the token is kept."""

    __tablename__ = "users"
    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]  # viewer | operator | supervisor | admin
    token_hash: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    disabled: Mapped[bool]


class ProposalRow(Base):
    """One command that waits for a person, or for a second one."""

    __tablename__ = "proposals"
    id: Mapped[str] = mapped_column(primary_key=True)  # the command's id
    at: Mapped[datetime]
    expires_at: Mapped[datetime]
    command: Mapped[dict[str, Any]]
    before: Mapped[str | None]
    effect_w: Mapped[float | None]  # change of the site's load, positive = more
    approvals_needed: Mapped[int]
    approved_by: Mapped[dict[str, Any]]  # name -> time
    state: Mapped[str] = mapped_column(index=True)  # waiting | approved | declined | expired | done | failed
    decided_by: Mapped[str]
    reason: Mapped[str]


class OverrideRow(Base):
    """A person's hold on one point or one job, sticky until released or expired."""

    __tablename__ = "overrides"
    target: Mapped[str] = mapped_column(primary_key=True)
    point: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    at: Mapped[datetime]
    until: Mapped[datetime]
    who: Mapped[str]
    reason: Mapped[str]


class ClassModeRow(Base):
    """The mode of one actuator class; none = the site's."""

    __tablename__ = "class_modes"
    actuator: Mapped[str] = mapped_column(primary_key=True)
    mode: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
    run_id: Mapped[str]


class HandsOffRow(Base):
    """Hands-off as it stands on one host; its file there is what counts."""

    __tablename__ = "hands_off"
    host: Mapped[str] = mapped_column(primary_key=True)
    on: Mapped[bool]
    who: Mapped[str]
    at: Mapped[datetime]
    reason: Mapped[str]


class EventRow(Base):
    """One emergency or demand-response event."""

    __tablename__ = "events"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # shed | cap | import_cap | load_target
    source: Mapped[str]  # operator | webhook | dsx
    who: Mapped[str]
    at: Mapped[datetime]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    limit_w: Mapped[float]
    baseline_w: Mapped[float | None]
    state: Mapped[str] = mapped_column(index=True)  # announced | active | returning | done | cancelled
    detail: Mapped[dict[str, Any]]


class SuspendRow(Base):
    """One job that we suspended and by when it must run again."""

    __tablename__ = "suspends"
    job_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    resume_by: Mapped[datetime]
    resumed_at: Mapped[datetime | None]
    command_id: Mapped[str]
