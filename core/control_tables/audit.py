"""`[audit]` and `[records]`: where what was done is kept, and how a cut of it would show."""

from pydantic import Field

from igoudar.core.model_people import MEGABYTE, Auditing
from igoudar.core.site_words import AbsoluteFile, Table


class AuditTable(Table):
    """`[audit]`."""

    anchor_file: AbsoluteFile = ""
    warn_free_mb: int = Field(default=1000, ge=1, le=1_000_000)
    full_free_mb: int = Field(default=100, ge=1, le=1_000_000)


class RecordsTable(Table):
    """`[records]`."""

    url_file: AbsoluteFile = ""


def auditing(audit: AuditTable, records: RecordsTable) -> Auditing:
    """The model of both tables; a warning never comes after what it warns of."""
    return Auditing(
        anchor_file=audit.anchor_file,
        low_bytes=max(audit.warn_free_mb, audit.full_free_mb) * MEGABYTE,
        full_bytes=audit.full_free_mb * MEGABYTE,
        url_file=records.url_file,
    )
