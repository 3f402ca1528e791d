"""The lease that fits where the records are: a file for one host, a row for two."""

from functools import partial
from pathlib import Path

from igoudar.control.lease import Lease, seen_epoch
from igoudar.control.lease.file import FileLease
from igoudar.control.lease.postgres import PostgresLease
from igoudar.control.records.state import Records
from igoudar.core.model_people import Auditing


def open_lease(rules: Auditing, records: Records, state: Path) -> Lease:
    """The site's lease, taken at once where it is free.

    Raises:
        StoreError: the lock's file can't be kept.
    """
    if not rules.url_file:
        file = FileLease(state)
        file.take()
        return file
    row = PostgresLease(records.engine, partial(seen_epoch, state))
    row.take()
    return row
