"""What control has paused and by when it must run again, on disk before the scheduler is asked."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from igoudar.core.durable import write_durably
from igoudar.core.errors import StoreError

SCHEMA = 1
NAME = "suspended.json"


@dataclass(frozen=True, slots=True)
class Suspended:
    """When a job was paused and by when it must run again; site time, UTC."""

    at: datetime
    resume_by: datetime


class SuspendedJobs:
    """`STATE/suspended.json`: control alone writes it, the failsafe reads it.

    A job is noted before it is paused and forgotten after it was resumed, so that whatever control leaves
    behind when it dies is in the file. What the failsafe did stands in a file of its own.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / NAME

    def read(self) -> dict[str, Suspended]:
        """Every job that is paused, or was about to be.

        Raises:
            StoreError: the file is there but says nothing that can be understood.
        """
        try:
            return _parsed(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"the list of paused jobs can't be read ({error!r})",
                where=str(self._path),
                fix="resume the paused jobs by hand (`igoudar job list`), then remove this file",
            ) from error

    def note(self, job_id: str, at: datetime, resume_by: datetime) -> None:
        """Keep that a job is about to be paused; on return a power cut can't lose it.

        Raises:
            StoreError: it could not be kept: do not pause the job.
        """
        self.note_all({job_id: (at, resume_by)})

    def note_all(self, jobs: Mapping[str, tuple[datetime, datetime]]) -> None:
        """Keep that many jobs are about to be paused: job -> (at, resume-by), written at once.

        Raises:
            StoreError: they could not be kept: do not pause them.
        """
        for job_id, (at, resume_by) in jobs.items():
            if resume_by <= at:
                what = "a resume-by must lie after the pause"
                raise StoreError(what, where=job_id, fix="give a later time")
        self._write({**self.read(), **{name: Suspended(*times) for name, times in jobs.items()}})

    def forget(self, job_ids: Iterable[str]) -> None:
        """Drop jobs that run again or have ended; unknown ones are ignored.

        Raises:
            StoreError: the file can't be read or written.
        """
        kept, gone = self.read(), set(job_ids)
        if gone & kept.keys():
            self._write({job_id: entry for job_id, entry in kept.items() if job_id not in gone})

    def _write(self, jobs: Mapping[str, Suspended]) -> None:
        document = {"schema": SCHEMA, "jobs": {job_id: _shown(entry) for job_id, entry in jobs.items()}}
        try:
            write_durably(self._path, json.dumps(document, indent=1).encode())
        except OSError as error:
            raise StoreError(
                f"the list of paused jobs can't be written ({error.strerror})",
                where=str(self._path),
                fix="check free space and permissions",
            ) from error


def _shown(entry: Suspended) -> dict[str, str]:
    return {"at": entry.at.isoformat(), "resume_by": entry.resume_by.isoformat()}


def _parsed(data: bytes) -> dict[str, Suspended]:
    document = json.loads(data)
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is {document['schema']}, not {SCHEMA}")
    return {str(job_id): _entry(entry) for job_id, entry in document["jobs"].items()}


def _entry(entry: Mapping[str, Any]) -> Suspended:
    at, resume_by = (datetime.fromisoformat(entry[name]) for name in ("at", "resume_by"))
    if at.tzinfo is None or resume_by.tzinfo is None:
        raise ValueError("a time without a zone")
    return Suspended(at, resume_by)
