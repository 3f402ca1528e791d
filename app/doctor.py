"""What may be wrong with this machine or a site's state, as codes that an edge renders."""

import fcntl
import json
import os
import shutil
import socket
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from igoudar.app import doctor_keeping
from igoudar.app.finding import Finding, Level
from igoudar.control.records.opening import RECORDS
from igoudar.core.clock import SiteClock
from igoudar.core.errors import IgoudarError
from igoudar.core.model_people import Auditing
from igoudar.core.store.parquet import LOCK_NAME
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.verify import verify_store

PYTHON = (3, 11)
MIN_FREE_BYTES = 200 * 2**20  # below, a day of a small site no longer fits
LOW_FREE_BYTES = 2 * 2**30
PORTS = {"API": 8460, "dashboard": 8501}
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)  # no machine that runs this release is older


Check = Callable[[Path], Iterator[Finding]]


def examine(state: Path, rules: Auditing | None = None) -> list[Finding]:
    """Run every check; nothing is changed. `rules` say where the site's records and anchors are."""
    found = [finding for check in CHECKS for finding in check(state)]
    kept = rules or Auditing()
    return found + [finding for look in KEPT for finding in look(state, kept)]


def python_version(state: Path) -> Iterator[Finding]:
    """The interpreter is new enough."""
    del state
    found = ".".join(str(number) for number in sys.version_info[:3])
    level = Level.OK if sys.version_info >= PYTHON else Level.FAULT
    yield Finding(level, f"app.doctor_python_{level}", {"found": found, "needed": "3.11"})


def system_packages(state: Path) -> Iterator[Finding]:
    """What `make setup` needs of the system."""
    del state
    missing = [package for module, package in (("ensurepip", "python3-venv"),) if find_spec(module) is None]
    missing += [program for program in ("make",) if shutil.which(program) is None]
    level = Level.WARNING if missing else Level.OK
    yield Finding(level, f"app.doctor_packages_{level}", {"missing": " ".join(missing)})


def wall_clock(state: Path) -> Iterator[Finding]:
    """The machine's clock has been set."""
    del state
    now = datetime.now(UTC)
    level = Level.OK if now >= EARLIEST else Level.FAULT
    yield Finding(level, f"app.doctor_wall_clock_{level}", {"now": f"{now:%Y-%m-%d %H:%M:%S} UTC"})


def permissions(state: Path) -> Iterator[Finding]:
    """The state folder is ours alone: it holds tokens."""
    if not state.exists():
        yield Finding(Level.OK, "app.doctor_no_state", {"path": str(state)})
        return
    mode = stat.S_IMODE(state.stat().st_mode)
    shown = {"path": str(state), "mode": f"{mode:04o}"}
    if not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(Level.FAULT, "app.doctor_permissions_fault", shown)
    else:
        level = Level.OK if mode & 0o077 == 0 else Level.WARNING
        yield Finding(level, f"app.doctor_permissions_{level}", shown)


def disk_space(state: Path) -> Iterator[Finding]:
    """Room for more samples."""
    place = next(folder for folder in (state, *state.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    level = Level.FAULT if free < MIN_FREE_BYTES else Level.WARNING if free < LOW_FREE_BYTES else Level.OK
    yield Finding(level, f"app.doctor_disk_{level}", {"free_mib": free // 2**20, "path": str(place)})


def writer(state: Path) -> Iterator[Finding]:
    """Whether a collector holds the store."""
    path = state / "store" / LOCK_NAME
    if path.exists():
        with path.open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                yield Finding(Level.OK, "app.doctor_lock_held", {"pid": lock.read().strip() or "?"})
            else:
                yield Finding(Level.OK, "app.doctor_lock_free")


def store(state: Path) -> Iterator[Finding]:
    """Every segment is what was written."""
    if not (state / "store").exists():
        return
    try:
        found = verify_store(state / "store")
    except (IgoudarError, OSError) as error:
        yield Finding(Level.FAULT, "app.doctor_store_unreadable", {"error": str(error)})
        return
    counts = {"segments": found.segments, "samples": found.rows, "series": found.series}
    yield Finding(Level.OK, "app.doctor_store_ok", counts)
    for name in found.damaged:
        yield Finding(Level.FAULT, "app.doctor_segment_damaged", {"name": name})
    for name, why in found.quarantined:
        yield Finding(Level.WARNING, "app.doctor_segment_quarantined", {"name": name, "why": why})


def records(state: Path) -> Iterator[Finding]:
    """The database of what people did is whole."""
    path = state / RECORDS
    if not path.exists():
        return
    try:
        answer = str(doctor_keeping.pragma(path, "integrity_check(1)"))
    except sqlite3.Error as error:
        answer = str(error)
    level = Level.OK if answer == "ok" else Level.FAULT
    yield Finding(level, f"app.doctor_records_{level}", {"answer": answer, "path": str(path)})


def site_clock(state: Path) -> Iterator[Finding]:
    """Site time does not run behind what is stored: a restart would then wait for it."""
    if not (state / "clock.json").exists() or not (state / "store").exists():
        return
    try:
        now, last = SiteClock.load(state / "clock.json").now(), ParquetReader(state / "store").last_time()
    except IgoudarError as error:
        yield Finding(Level.WARNING, "app.doctor_site_clock_unreadable", {"error": str(error)})
        return
    behind = last is not None and now < last - timedelta(seconds=1)
    level = Level.WARNING if behind else Level.OK
    params = {"now": f"{now:%Y-%m-%d %H:%M:%S} UTC", "last": f"{last:%Y-%m-%d %H:%M:%S} UTC" if last else "-"}
    yield Finding(level, f"app.doctor_site_clock_{level}", params)


def ports(state: Path) -> Iterator[Finding]:
    """The usual ports are free, or held by this very site."""
    running = _api_port(state)
    for part, port in PORTS.items():
        shown = {"part": part, "port": str(port)}
        if _is_free(port):
            yield Finding(Level.OK, "app.doctor_port_free", shown)
        elif running is not None:
            yield Finding(Level.OK, "app.doctor_port_ours", shown)
        else:
            yield Finding(Level.WARNING, "app.doctor_port_taken", shown)


def _api_port(state: Path) -> int | None:
    """The port of this site's API while it listens."""
    try:
        url = str(json.loads((state / "api.json").read_text())["url"])
        port = int(url.rstrip("/").rpartition(":")[2])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if _is_free(port) else port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


CHECKS: tuple[Check, ...] = (
    python_version,
    system_packages,
    wall_clock,
    permissions,
    disk_space,
    writer,
    store,
    records,
    site_clock,
    ports,
)
KEPT = (doctor_keeping.spool, doctor_keeping.audit, doctor_keeping.database)
