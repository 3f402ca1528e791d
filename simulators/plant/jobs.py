"""Where jobs come from: a replayed trace or a seeded generator of similar statistics."""

import bisect
import csv
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol, overload

from igoudar.core.errors import ConfigError
from igoudar.core.model import Job, Site
from igoudar.simulators.plant.noise import DAY_S
from igoudar.simulators.plant.resource import ORIGIN

FLEXIBLE_LOAD = 0.8  # of the flexible half of the GPUs, run-now's mean
DAY = timedelta(days=1)
COLUMNS = (
    "job_id",
    "user",
    "num_gpu",
    "submit_time",
    "duration",
    "expect_time_list",
    "job_type",
    "model_name",
)


class JobSource(Protocol):
    """Jobs by time of submission."""

    def between(self, start_s: float, end_s: float) -> list[Job]:
        """Jobs submitted in [start_s, end_s) (seconds since 1970), in order."""
        ...


def flexible_gpus(site: Site) -> int:
    """GPUs for flexible jobs: half of every rack."""
    return sum(rack.gpus // 2 for rack in site.racks)


class JobList:
    """Some jobs, once."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = sorted(jobs, key=lambda job: job.submitted)
        self._times = [job.submitted.timestamp() for job in self._jobs]

    def between(self, start_s: float, end_s: float) -> list[Job]:
        """Jobs submitted in [start_s, end_s)."""
        first, last = (bisect.bisect_left(self._times, time_s) for time_s in (start_s, end_s))
        return self._jobs[first:last]


class JobTrace(Sequence[Job]):
    """A trace from `ORIGIN` on, repeated for ever; `rejected_lines` names the rows that hold no job."""

    def __init__(self, jobs: Sequence[Job], period_s: float, rejected_lines: Sequence[int] = ()) -> None:
        self._jobs = sorted(jobs, key=lambda job: job.submitted)
        self._offsets = [(job.submitted - ORIGIN).total_seconds() for job in self._jobs]
        self.period_s, self.rejected_lines = period_s, tuple(rejected_lines)

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice) -> list[Job]: ...
    def __getitem__(self, index: int | slice) -> Job | list[Job]:
        return self._jobs[index]

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs)

    def between(self, start_s: float, end_s: float) -> list[Job]:
        """Jobs submitted in [start_s, end_s); ids of later rounds end in +1, +2 ..."""
        start, end = start_s - ORIGIN.timestamp(), end_s - ORIGIN.timestamp()
        rounds = range(math.floor(start / self.period_s), math.floor(end / self.period_s) + 1)
        return [job for lap in rounds for job in self._lap(lap, start, end)]

    def _lap(self, lap: int, start: float, end: float) -> list[Job]:
        shift = lap * self.period_s
        first, last = (bisect.bisect_left(self._offsets, offset - shift) for offset in (start, end))
        return [_moved(job, lap, timedelta(seconds=shift)) for job in self._jobs[first:last]]


def _moved(job: Job, lap: int, shift: timedelta) -> Job:
    if lap == 0:
        return job
    deadline = None if job.deadline is None else job.deadline + shift
    return replace(job, job_id=f"{job.job_id}{lap:+d}", submitted=job.submitted + shift, deadline=deadline)


def load_jobs(path: Path, site: Site) -> JobTrace:
    """Read a Philly-format trace and fit it to a site.

    A site larger than the trace multiplies every job's GPUs by a whole number; a smaller one keeps a fixed
    share of the jobs, chosen by a hash of job_id; so that run-now uses about 80 % of the flexible half of the
    GPUs.

    Raises:
        ConfigError: naming the file and the line of a malformed row.
    """
    rows = [(line, _parsed(path, line, row)) for line, row in _rows(path)]
    _refuse_twins(path, rows)
    empty = [line for line, job in rows if job.gpus == 0]
    jobs = [job for _, job in rows if job.gpus > 0]
    if not jobs:
        raise ConfigError("no jobs", where=str(path), fix="give a trace with at least one job")
    last = max(job.submitted for job in jobs)
    period_s = math.ceil((last - ORIGIN).total_seconds() / DAY_S) * DAY_S
    return JobTrace(fitted(jobs, period_s, flexible_gpus(site)), max(period_s, DAY_S), empty)


def _refuse_twins(path: Path, rows: Sequence[tuple[int, Job]]) -> None:
    lines: dict[str, int] = {}
    for line, job in rows:
        first = lines.setdefault(job.job_id, line)
        if first != line:
            what = f"job_id {job.job_id} stands in line {first} already"
            raise ConfigError(what, where=f"{path}:{line}", fix="give every job its own id")


def fitted(jobs: Sequence[Job], period_s: float, gpus: int) -> list[Job]:
    """Jobs scaled to `gpus` flexible GPUs over `period_s`, as `load_jobs` says."""
    target = FLEXIBLE_LOAD * gpus * period_s
    factor = round(target / sum(job.gpus * job.duration_s for job in jobs))
    if factor >= 1:
        return [replace(job, gpus=job.gpus * factor) for job in jobs]
    kept: list[Job] = []
    work = 0.0
    for job in sorted((job for job in jobs if job.gpus <= gpus), key=_rank):
        if work >= target:
            break
        kept.append(job)
        work += job.gpus * job.duration_s
    return kept


def _rank(job: Job) -> bytes:
    return hashlib.blake2b(job.job_id.encode(), digest_size=8).digest()


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"can't be read ({error})", where=str(path), fix="check the path and its rights"
        ) from error
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        fix = f"the columns are {', '.join(COLUMNS)}"
        raise ConfigError(f"no column {', '.join(missing)}", where=f"{path}:1", fix=fix)
    return rows


def _parsed(path: Path, line: int, row: dict[str, str]) -> Job:
    try:
        return _job(row)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise ConfigError(
            f"not a job ({error})", where=f"{path}:{line}", fix="correct or remove this row"
        ) from error


def _job(row: dict[str, str]) -> Job:
    """A job of one row; times in the trace are minutes."""
    gpus, minutes, submit = int(row["num_gpu"]), float(row["duration"]), float(row["submit_time"])
    if gpus < 0 or not (0.0 < minutes < math.inf and 0.0 <= submit < math.inf):
        raise ValueError("num_gpu, duration or submit_time out of range")
    submitted = ORIGIN + timedelta(minutes=submit)
    limit = _deadline_min(row["job_type"], row["expect_time_list"])
    deadline = None if limit is None else submitted + timedelta(minutes=limit)
    job_id, user = row["job_id"].strip(), row["user"].strip()
    if not job_id:
        raise ValueError("job_id is empty")
    return Job(job_id, user, gpus, submitted, minutes * 60.0, deadline, name=row["model_name"].strip())


def _deadline_min(kind: str, times: str) -> float | None:
    """Deadline relative to submission [min]: strict = its one value, soft = the last value, best = none."""
    if kind == "best":
        return None
    if kind not in ("strict", "soft"):
        raise ValueError(f"job_type {kind!r} is not strict, soft or best")
    return float(times.split("-")[-1])
