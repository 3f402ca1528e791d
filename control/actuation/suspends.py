"""Who is paused and by when each must run again: in the database, and in the file that the failsafe reads.

A row that can't be read still names its job: it runs again by the file's times, where that has none at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select

from igoudar.control.actuation.command import Command
from igoudar.control.failsafe.suspended import Suspended, SuspendedJobs
from igoudar.control.records.safety_tables import SuspendRow
from igoudar.control.records.state import Records
from igoudar.core.errors import StoreError

OVERDUE = Suspended(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC))
BY_PLAN = "plan-"  # how the ids of commands begin with which the plan pauses jobs


@dataclass(frozen=True, slots=True)
class SuspendBook:
    """Both, the file first: it is what holds when we are dead."""

    records: Records
    jobs: SuspendedJobs
    _ahead: dict[str, str] = field(default_factory=dict)  # job -> the command for which it is noted already

    def note(self, rows: Sequence[SuspendRow]) -> None:
        """Note many jobs that are about to be paused, or that stand longer: one file, one statement.

        Raises:
            StoreError: they could not be kept: do not pause them.
        """
        self.jobs.note_all({row.job_id: (row.at, row.resume_by) for row in rows})
        self.records.merge(rows)
        self._ahead.update((row.job_id, row.command_id) for row in rows)

    def suspended(self, job_id: str, resume_by: datetime, command: Command) -> None:
        """Note a job that is about to be paused.

        Raises:
            StoreError: it could not be kept: do not pause the job.
        """
        if self._ahead.pop(job_id, "") == command.command_id:
            return
        at = command.issued_at
        self.jobs.note(job_id, at, resume_by)
        self.records.merge(
            [
                SuspendRow(
                    job_id=job_id,
                    at=at,
                    resume_by=resume_by,
                    resumed_at=None,
                    command_id=command.command_id,
                )
            ]
        )

    def resumed(self, job_id: str, at: datetime) -> None:
        """A job runs again, or was not paused after all: a pause from here on is noted anew."""
        self._ahead.pop(job_id, None)
        kept = self.row(job_id)  # where it can't be read, the file still knows its times
        self.jobs.forget([job_id])
        if kept is not None:
            kept.resumed_at = at
            self.records.merge([kept])

    def take_over(self) -> None:
        """Have this host's failsafe know who is paused by the records, and nobody else.

        Raises:
            StoreError: they can't be read, or the file can't be written.
        """
        self._ahead.clear()
        rows = {row.job_id: (row.at, row.resume_by) for row in self.open()}
        self.jobs.forget(self.jobs.read().keys() - rows.keys())
        if rows:
            self.jobs.note_all(rows)

    def open(self) -> list[SuspendRow]:
        """Jobs that we paused and that do not run again yet.

        Raises:
            StoreError: they can't be read, or not even which job one is.
        """
        query = select(SuspendRow).where(SuspendRow.resumed_at.is_(None))
        rows: list[SuspendRow] = self.records.readable(query, self._stand_in)
        return rows

    def since(self, at: datetime) -> list[SuspendRow]:
        """Last pauses, whoever's, that began since a time or have not ended."""
        lately = (SuspendRow.at >= at) | SuspendRow.resumed_at.is_(None)
        rows: list[SuspendRow] = self.records.readable(select(SuspendRow).where(lately))
        return rows

    def row(self, job_id: str) -> SuspendRow | None:
        """The last pause of a job."""
        query = select(SuspendRow).where(SuspendRow.job_id == job_id)
        rows: list[SuspendRow] = self.records.readable(query, self._stand_in)
        return rows[0] if rows else None

    def _stand_in(self, job_id: str) -> SuspendRow:
        noted = self._noted(job_id) or OVERDUE
        return SuspendRow(
            job_id=job_id, at=noted.at, resume_by=noted.resume_by, resumed_at=None, command_id=""
        )

    def _noted(self, job_id: str) -> Suspended | None:
        try:
            return self.jobs.read().get(job_id)
        except StoreError:
            return None
