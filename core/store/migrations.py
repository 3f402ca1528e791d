"""Older layouts of the store, brought to the present one when a writer opens it.

Schema 1: samples without source time; no checksum in the manifest; no `latest` file.
Schema 2: the present one.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from igoudar.core.errors import StoreError
from igoudar.core.store.latest import fold_latest, write_latest
from igoudar.core.store.manifest import MANIFEST_NAME, SCHEMA_VERSION, Manifest, read_document
from igoudar.core.store.rows import ROW_SCHEMA
from igoudar.core.store.segments import Segment, hot_segments, write_segment

Step = Callable[[Path, Mapping[str, Any]], Manifest]


def migrate(store: Path) -> None:
    """Bring `store` to the present schema; every step ends with one atomic change of the manifest.

    Raises:
        StoreError: the store is of a newer schema, or damaged.
        OSError: the store is as it was.
    """
    while (version := read_document(store)["schema"]) != SCHEMA_VERSION:
        if version not in _STEPS:
            raise StoreError(
                f"store schema {version}, this igoudar knows up to {SCHEMA_VERSION}",
                where=str(store / MANIFEST_NAME),
                fix="install the igoudar that wrote it, or a newer one",
            )
        _STEPS[version](store, read_document(store)).save(store)


def _add_source_time(store: Path, document: Mapping[str, Any]) -> Manifest:
    """1 -> 2: each segment again with an empty column of source times; hot ones become merged ones."""
    named = [segment for name in document["segments"] if (segment := Segment.parse(name))]
    hot = hot_segments(store, document["hot_from"])
    cold = [_with_source_time(store, segment, max(segment.level, 1)) for segment in [*named, *hot]]
    return Manifest(
        generation=document["generation"] + 1,
        hot_from=max((segment.last_batch for segment in cold), default=document["hot_from"] - 1) + 1,
        cold=tuple(cold),
        latest=write_latest(store, fold_latest(store, cold), document["generation"] + 1),
        quarantined=tuple((name, why) for name, why in document["quarantined"]),
    )


def _with_source_time(store: Path, segment: Segment, level: int) -> Segment:
    rows = pl.read_parquet(segment.path(store))
    rows = rows.with_columns(offset_ms=pl.lit(None, dtype=pl.Int32())).select(*ROW_SCHEMA.names())
    return write_segment(store, rows, level, segment.first_batch, segment.last_batch)


_STEPS: Mapping[int, Step] = {1: _add_source_time}
