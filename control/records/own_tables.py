"""Tables about the records themselves: the audit chain's head, the writer's lease, site versions."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from igoudar.control.records.tables import Base


class HeadRow(Base):
    """The newest link of the audit chain; its one row is locked by whoever adds to the chain."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    number: Mapped[int]
    hash: Mapped[str]


class LeaseRow(Base):
    """Who may act, of two hosts on one database; times are the database's."""

    __tablename__ = "writer_lease"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    holder: Mapped[str]
    epoch: Mapped[int]
    deadline: Mapped[datetime]


class SiteVersionRow(Base):
    """One configuration that a start has used, whole."""

    __tablename__ = "site_versions"
    version: Mapped[str] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]  # wall, UTC
    last_at: Mapped[datetime]
    site: Mapped[str]
    source: Mapped[str]  # name of a seed, or the file's path
    document: Mapped[str]  # the file as it was read
