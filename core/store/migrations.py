"""Older layouts of the store, brought to the present one when a writer opens it.

Schema 1: samples without source time; no checksum in the manifest; no `latest` file.
Schema 2: merged segments of up to a day; no roll-ups; one copy of the series dictionary.
Schema 3: the present one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from igoudar.core.errors import StoreError
from igoudar.core.store.compaction import by_hour, in_order, is_sound
from igoudar.core.store.latest import fold_latest, write_latest
from igoudar.core.store.manifest import MANIFEST_NAME, SCHEMA_VERSION, Manifest, parse_manifest, read_document
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
        _STEPS[version](store, read_document(store)).save(store)  # what is saved has the present schema


def _add_source_time(store: Path, document: Mapping[str, Any]) -> Manifest:
    """1 -> 3: each segment again with an empty column of source times; hot ones become merged ones."""
    named = [segment for name in document["segments"] if (segment := Segment.parse(name))]
    hot = hot_segments(store, document["hot_from"])
    cold = [_with_source_time(store, segment, max(segment.level, 1)) for segment in [*named, *hot]]
    cold = [part for segment in cold for part in _by_hour(store, segment)]
    return Manifest(
        generation=document["generation"] + 1,
        hot_from=max((segment.last_batch for segment in cold), default=document["hot_from"] - 1) + 1,
        cold=in_order(cold),
        latest=write_latest(store, fold_latest(store, cold), document["generation"] + 1),
        quarantined=tuple((name, why) for name, why in document["quarantined"]),
    )


def _with_source_time(store: Path, segment: Segment, level: int) -> Segment:
    rows = pl.read_parquet(segment.path(store))
    rows = rows.with_columns(offset_ms=pl.lit(None, dtype=pl.Int32())).select(*ROW_SCHEMA.names())
    return write_segment(store, rows, level, segment.first_batch, segment.last_batch)


def _split_hours(store: Path, document: Mapping[str, Any]) -> Manifest:
    """2 -> 3: merged segments again, one per hour."""
    former = parse_manifest({**document, "rolled": []}, store)
    cold = [part for segment in former.cold for part in _by_hour(store, segment)]
    return replace(former, generation=former.generation + 1, cold=in_order(cold))


def _by_hour(store: Path, segment: Segment) -> list[Segment]:
    if len(segment.hours) == 1 or not is_sound(store, segment):  # a damaged one is found and named later
        return [segment]
    rows = pl.read_parquet(segment.path(store))
    batches = (segment.first_batch, segment.last_batch)
    return [write_segment(store, part, segment.level, *batches) for part in by_hour(rows)]


_STEPS: Mapping[int, Step] = {1: _add_source_time, 2: _split_hours}
