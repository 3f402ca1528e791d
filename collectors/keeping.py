"""The keeper of a state folder: its spool opened, its figures named."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from igoudar.collectors.keep import Keeper, Sees
from igoudar.collectors.quarantine import Quarantine
from igoudar.collectors.spool import Spool
from igoudar.collectors.spool_disk import FolderDisk
from igoudar.core.errors import StoreError
from igoudar.core.model import SpoolRules
from igoudar.core.store.files import WriterLock, make_folder
from igoudar.core.store.protocol import TelemetryStore

SPOOL = "spool"
QUARANTINE = "quarantine"
LOCK = "lock"
QUARANTINE_SHARE = 16  # of the spool's bytes


@contextmanager
def spool_folder(state: Path) -> Iterator[Path]:
    """The spool's folder, ours alone while the context is open.

    Raises:
        StoreError: another process spools there, or it can't be used.
    """
    folder = state / SPOOL
    try:
        make_folder(folder)
        lock = WriterLock(folder / LOCK)
    except OSError as error:
        raise _unusable(folder, error) from error
    with lock:
        yield folder


def open_keeper(
    store: TelemetryStore, folder: Path, rules: SpoolRules, *, tell: Sees, acknowledged: Sees
) -> Keeper:
    """A keeper that goes on where the one before it ended, however it ended.

    Raises:
        StoreError: the folder can't be used.
    """
    try:
        spool = Spool(FolderDisk(folder), rules)
        aside = Quarantine(FolderDisk(folder / QUARANTINE), rules.most_bytes // QUARANTINE_SHARE)
    except OSError as error:
        raise _unusable(folder, error) from error
    return Keeper(store, spool, aside, tell=tell, acknowledged=acknowledged, window_s=rules.window_s)


def _unusable(folder: Path, error: OSError) -> StoreError:
    what = f"the spool can't be opened ({error.strerror or error})"
    return StoreError(what, where=str(folder), fix="free disk space or check its permissions")


@runtime_checkable
class Measured(Protocol):
    """A store that tells of itself."""

    def metrics(self) -> Mapping[str, float]:
        """Its own figures."""
        ...


def store_metrics(store: TelemetryStore) -> Mapping[str, float]:
    """The store's own figures; a store across a network has a server that tells its own."""
    return store.metrics() if isinstance(store, Measured) else {}


def keeping_metrics(keeper: Keeper, rules: SpoolRules) -> dict[str, float]:
    """What stands where on the way to the store, and what was lost on it."""
    spool, courier, aside = keeper.spool, keeper.courier, keeper.quarantine
    down_s = 0.0
    if courier.down_since_s is not None:
        down_s = asyncio.get_running_loop().time() - courier.down_since_s
    return {
        "collector_acknowledged_readings_total": keeper.acknowledged,
        "collector_stored_readings_total": courier.stored,
        "collector_waiting_readings": keeper.waiting,
        "collector_dropped_readings_total": keeper.dropped,
        "collector_append_failures_total": courier.failures,
        "collector_append_s": courier.append_s,
        "collector_store_down_s": down_s,
        "collector_spool_batches": spool.batches,
        "collector_spool_bytes": spool.size_bytes,
        "collector_spool_limit_bytes": rules.most_bytes,
        "collector_spool_dropped_readings_total": spool.dropped,
        "collector_spool_corrupt_records_total": spool.corrupt,
        "collector_spool_corrupt_readings_total": spool.corrupt_readings,
        "collector_spool_failures_total": keeper.spool_failures,
        "collector_spool_refuses": float(keeper.spool_refuses),
        "collector_quarantined_readings_total": aside.readings,
        "collector_quarantine_dropped_total": aside.dropped,
    }
