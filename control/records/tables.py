"""The tables of the state database; what people make and what was done in their name."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC in Python, naive UTC in a database that knows no zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return value.replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    """Root of the tables."""

    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON}  # noqa: RUF012 - SQLAlchemy reads it off the class


class ActionRow(Base):
    """One thing done, or proposed, and why: a line of the audit.

    `id`, `previous` and `hash` are its link in the chain and are set when it is added (records/chain.py).
    """

    __tablename__ = "actions"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str]
    verb: Mapped[str]
    target: Mapped[str] = mapped_column(index=True)
    before: Mapped[str | None]
    after: Mapped[str | None]
    code: Mapped[str]
    params: Mapped[dict[str, Any]]
    result: Mapped[str]
    config_version: Mapped[str]
    previous: Mapped[str] = mapped_column(default="", server_default="")
    hash: Mapped[str] = mapped_column(default="", server_default="")
    __table_args__ = (Index("actions_follow", "previous", unique=True),)  # a chain never forks


class AlarmRow(Base):
    """One alarm's latest life."""

    __tablename__ = "alarms"
    id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    source: Mapped[str]
    group: Mapped[str]
    priority: Mapped[int]
    params: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)
    raised_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str]
    occurrences: Mapped[int]


class AlarmEventRow(Base):
    """One step in an alarm's life; kept."""

    __tablename__ = "alarm_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    alarm_id: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    by: Mapped[str]
    comment: Mapped[str]


class ModeRow(Base):
    """One change of the control mode."""

    __tablename__ = "mode_changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    mode: Mapped[str]
    by: Mapped[str]
    reason: Mapped[str]
    run_id: Mapped[str]


class PublishedRow(Base):
    """One published 15-min value of a KPI, with the edition that defines it."""

    __tablename__ = "published"
    name: Mapped[str] = mapped_column(primary_key=True)
    time: Mapped[datetime] = mapped_column(primary_key=True)
    value: Mapped[float]
    edition: Mapped[str]


class NoticeRow(Base):
    """One notification on its way to one target."""

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    number: Mapped[int]  # one notice to several targets has one number
    target: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    priority: Mapped[int]
    attempts: Mapped[int]
    delivered: Mapped[bool]
    __table_args__ = (Index("notices_open", "delivered"),)
