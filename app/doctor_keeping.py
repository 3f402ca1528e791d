"""What may be wrong with what a site keeps outside its store: spool, audit, and a database of its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from igoudar.app.finding import Finding, Level
from igoudar.app.waiting import site_clock
from igoudar.collectors.keeping import QUARANTINE, SPOOL
from igoudar.collectors.spool_look import backlog
from igoudar.control.records import schema
from igoudar.control.records.audit import verify
from igoudar.control.records.engine import place, postgres
from igoudar.control.records.opening import RECORDS, open_records
from igoudar.core.errors import IgoudarError
from igoudar.core.i18n import render
from igoudar.core.model_people import Auditing

LATE = timedelta(minutes=15)  # wall; a store that was away for a moment is no finding
APART_S = 1.0  # between the clocks of two hosts: a jump is an alarm from there on
SHOWN = 10  # problems of an audit; `igoudar audit verify` names them all
LEASE = text(
    "SELECT holder, epoch, EXTRACT(EPOCH FROM deadline - clock_timestamp() AT TIME ZONE 'UTC') AS left_s "
    "FROM writer_lease WHERE id = 1"
)
NOW = text("SELECT clock_timestamp()")


def spool(state: Path, rules: Auditing) -> Iterator[Finding]:
    """Nothing waits long for the store, and it has refused nothing for good."""
    del rules
    if not (state / SPOOL).is_dir():
        return
    try:
        found = backlog(state / SPOOL)
    except OSError as error:
        yield Finding(Level.FAULT, "app.doctor_spool_unreadable", {"error": str(error)})
        return
    age = _age(state, found.oldest_at)
    counts = {"batches": found.batches, "mib": round(found.size_bytes / 2**20, 1)}
    level = Level.WARNING if age > LATE else Level.OK
    minutes = round(age.total_seconds() / 60)
    yield Finding(level, f"app.doctor_spool_{level}", {**counts, "minutes": minutes})
    if found.set_aside:
        where = str(state / SPOOL / QUARANTINE)
        yield Finding(Level.WARNING, "app.doctor_spool_aside", {"files": found.set_aside, "path": where})


def audit(state: Path, rules: Auditing) -> Iterator[Finding]:
    """Every line follows the one before, and every anchor knows the chain's end."""
    try:
        if not _current(state, rules):
            return  # nothing was kept yet, or the next start brings it up to date
        records = open_records(rules, state)
        with closing(records):
            verdict = verify(records)
    except (IgoudarError, SQLAlchemyError) as error:
        yield Finding(Level.FAULT, "app.doctor_audit_unreadable", {"error": str(error)})
        return
    if verdict.whole:
        shown = {"rows": verdict.end.number, "anchored": verdict.anchored, "files": len(records.anchors)}
        yield Finding(Level.OK, "app.doctor_audit_ok", shown)
    for problem in verdict.problems[:SHOWN]:
        params = {"problem": render(problem.code, problem.params)}
        yield Finding(Level.FAULT, "app.doctor_audit_broken", params)


def database(state: Path, rules: Auditing) -> Iterator[Finding]:
    """The PostgreSQL of two hosts answers, somebody holds its lease, and its clock is ours."""
    del state
    if not rules.url_file:
        return
    try:
        engine = postgres(Path(rules.url_file).expanduser())
    except IgoudarError as error:
        yield Finding(Level.FAULT, "app.doctor_database_unreachable", {"error": str(error)})
        return
    try:
        yield from _asked(engine)
    except SQLAlchemyError as error:
        said = str(error.__cause__ or error).splitlines()[0]
        yield Finding(Level.FAULT, "app.doctor_database_unreachable", {"error": f"{place(engine)}: {said}"})
    finally:
        engine.dispose()


def _asked(engine: Engine) -> Iterator[Finding]:
    with engine.connect() as connection:
        before = datetime.now(UTC)
        theirs = connection.execute(NOW).scalar_one()
        offset_s = (theirs - (before + (datetime.now(UTC) - before) / 2)).total_seconds()
        lease = connection.execute(LEASE).one_or_none()
    yield Finding(Level.OK, "app.doctor_database_ok", {"place": place(engine)})
    level = Level.OK if abs(offset_s) <= APART_S else Level.WARNING
    yield Finding(level, f"app.doctor_database_clock_{level}", {"offset_s": round(offset_s, 2)})
    held = lease is not None and lease.left_s > 0
    params = {"holder": lease.holder, "epoch": lease.epoch} if lease is not None and held else {}
    code = "app.doctor_lease_held" if held else "app.doctor_lease_free"
    yield Finding(Level.OK, code, params)


def _current(state: Path, rules: Auditing) -> bool:
    """Whether the records have the newest schema: looking must neither make nor migrate them."""
    if not rules.url_file:
        return _current_file(state / RECORDS)
    database = postgres(Path(rules.url_file).expanduser())
    try:
        with database.connect() as connection:
            return schema.current(connection)
    finally:
        database.dispose()


def _current_file(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        return int(str(pragma(path, "user_version"))) == len(schema.MIGRATIONS)
    except sqlite3.Error:
        return False  # the check of the records says what is wrong


def _age(state: Path, oldest_at: datetime | None) -> timedelta:
    """How long the oldest reading has waited (wall)."""
    if oldest_at is None:
        return timedelta(0)
    try:
        clock = site_clock(state)
    except IgoudarError:
        return timedelta(0)
    return max(timedelta(0), (clock.now() - oldest_at) / clock.speed)


def pragma(path: Path, what: str) -> object:
    """What an SQLite file says of itself; it is neither made nor changed.

    Raises:
        sqlite3.Error: it can't be read.
    """
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as database:
        answer: object = database.execute(f"PRAGMA {what}").fetchone()[0]
    return answer
