"""The only commands that are ever run, each with a form for every argument: no other can be asked of Slurm.

There is no verb that cancels, holds or signals a job, and none that changes what a user said of it: only its
begin time, its administrator's comment, and whether it is suspended or, by its own consent, queued again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from igoudar.core.errors import CommandError

RESERVATION = "igoudar-watts"

JOB = re.compile(r"[1-9][0-9]{0,9}(_[0-9]{1,7}|_\[[0-9][0-9,:-]{0,100000}\]|\+[0-9]{1,3})?", re.ASCII)
NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", re.ASCII)
MARK = re.compile(r"(igoudar:[a-z0-9=,]{1,100})?", re.ASCII)
LICENCE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}", re.ASCII)
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", re.ASCII)
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verb:
    """One command line; `acts` tells those that change something from those that only read."""

    words: tuple[str, ...]
    acts: bool = False


JOBS = Verb(("squeue", "--json"))
NODES = Verb(("sinfo", "--json", "--Node"))
CONFIG = Verb(("scontrol", "show", "config"))
PARTITIONS = Verb(("scontrol", "-o", "show", "partition"))
LICENCES = Verb(("scontrol", "-o", "show", "licenses"))
RESERVED = Verb(("scontrol", "-o", "show", "reservation", RESERVATION))
UNRESERVE = Verb(("scontrol", "delete", f"reservation={RESERVATION}"), acts=True)
QOS = Verb(("sacctmgr", "--noheader", "--parsable2", "--readonly", "show", "qos", "format=name"))


def begin(at: datetime | None, mark: str | None, *jobs: str) -> Verb:
    """Let waiting jobs start at a time, None = as soon as they can; `mark` says that it was us."""
    time = _time(at) if at else "now"
    return _update(jobs, f"StartTime={time}", *_marked(mark))


def mark(text: str, *jobs: str) -> Verb:
    """Set the administrator's comment of jobs, "" = none."""
    return _update(jobs, *_marked(text))


def suspend(*jobs: str) -> Verb:
    """Stop running jobs where they stand."""
    return Verb(("scontrol", "suspend", _list(jobs)), acts=True)


def resume(*jobs: str) -> Verb:
    """Go on with suspended jobs."""
    return Verb(("scontrol", "resume", _list(jobs)), acts=True)


def requeue(job: str) -> Verb:
    """Queue a running job again, from its beginning; one that has ended meanwhile stays ended."""
    return Verb(("scontrol", "requeue", "Incomplete", _form(JOB, job, "job")), acts=True)


def power(node: str, up: bool) -> Verb:
    """Power a node by Slurm's own programs for it."""
    state = "POWER_UP" if up else "POWER_DOWN"
    words = (f"NodeName={_form(NODE, node, 'node')}", f"State={state}")
    return Verb(("scontrol", "update", *words), acts=True)


def reserve(licence: str, watts: int, end: datetime, user: str) -> Verb:
    """Take watts from everybody until `end`."""
    words = ("StartTime=now", "Flags=LICENSE_ONLY", "NodeCnt=0", f"Users={_form(USER, user, 'user')}")
    return Verb(("scontrol", "create", "reservation", *words, *_taken(licence, watts, end)), acts=True)


def renew(licence: str, watts: int, end: datetime) -> Verb:
    """Change how many watts are taken, and until when."""
    return Verb(("scontrol", "update", *_taken(licence, watts, end)), acts=True)


def _taken(licence: str, watts: int, end: datetime) -> Sequence[str]:
    name = _form(LICENCE, licence, "licence")
    return (f"ReservationName={RESERVATION}", f"Licenses={name}:{_whole(watts)}", f"EndTime={_time(end)}")


def _update(jobs: Sequence[str], *words: str) -> Verb:
    return Verb(("scontrol", "update", f"JobId={_list(jobs)}", *words), acts=True)


def _list(jobs: Sequence[str]) -> str:
    return ",".join([_form(JOB, job, "job") for job in jobs or ("",)])


def _marked(mark: str | None) -> Sequence[str]:
    return () if mark is None else (f"AdminComment={_form(MARK, mark, 'mark')}",)


def _form(pattern: "re.Pattern[str]", text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise CommandError(f"{text!r} is not a {what} of Slurm", where="slurm")
    return text


def _whole(number: int) -> str:
    if not 0 <= number < 2**32 - 2:
        raise CommandError(f"{number} can't be counted by Slurm", where="slurm")
    return str(number)


def _time(at: datetime) -> str:
    """Programs are run in UTC, whatever the host's zone is."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
