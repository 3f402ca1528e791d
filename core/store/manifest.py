"""The manifest: which merged segments are valid, and from which append on the hot ones are."""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igoudar.core.errors import StoreError
from igoudar.core.store.files import write_durably
from igoudar.core.store.segments import Segment

SCHEMA_VERSION = 3
MANIFEST_NAME = "manifest.json"


class DamagedManifestError(StoreError):
    """The manifest's bytes are not what was written; the segments may all be well."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One consistent state of the store.

    A hot segment needs no entry: it is valid once its durable rename happened and its number is at least
    `hot_from`. So an append costs one file, and a reader sees either the hot segments or what they became.
    """

    generation: int = 0
    hot_from: int = 1
    cold: tuple[Segment, ...] = ()
    latest: str = ""  # file with the newest reading of each device in all merged segments
    quarantined: tuple[tuple[str, str], ...] = ()  # (file name, why)
    rolled: tuple[Segment, ...] = ()  # roll-ups; where two hold one bucket, the one of more samples counts

    @property
    def merged(self) -> tuple[Segment, ...]:
        """Every file that the manifest names, samples first."""
        return (*self.cold, *self.rolled)

    def save(self, store: Path) -> None:
        """Replace the manifest atomically and durably.

        Raises:
            OSError: the former manifest still holds.
        """
        document = {
            "schema": SCHEMA_VERSION,
            "generation": self.generation,
            "hot_from": self.hot_from,
            "latest": self.latest,
            "segments": [segment.name for segment in self.cold],
            "rolled": [segment.name for segment in self.rolled],
            "quarantined": [list(entry) for entry in self.quarantined],
        }
        sealed = {"crc32": _crc32(document), **document}
        write_durably(store / MANIFEST_NAME, json.dumps(sealed, indent=0).encode())


def _crc32(document: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(document, sort_keys=True).encode())


def read_document(store: Path) -> dict[str, Any]:
    """The manifest as JSON, whatever its schema version.

    Raises:
        StoreError: when there is none, or it is not a manifest.
    """
    path = store / MANIFEST_NAME
    try:
        document = json.loads(path.read_bytes())
        if not isinstance(document.get("schema"), int):
            raise ValueError("no schema version")
        # A flipped digit would make a segment look missing and its file look left over.
        if 1 < document["schema"] <= SCHEMA_VERSION and document.pop("crc32", None) != _crc32(document):
            raise ValueError("its checksum does not match")
    except FileNotFoundError as error:
        raise StoreError(
            "no store here", where=str(store), fix="start `igoudar up`; it creates one"
        ) from error
    except (ValueError, AttributeError) as error:
        raise DamagedManifestError(
            f"the store's manifest can't be read ({error})",
            where=str(path),
            fix="start `igoudar collect`, which rebuilds it from the segments, or `igoudar restore` a backup",
        ) from error
    return dict(document)


def load_manifest(store: Path) -> Manifest:
    """The current manifest.

    Raises:
        StoreError: when there is none, it is damaged or of another schema version.
    """
    document = read_document(store)
    if document["schema"] != SCHEMA_VERSION:
        raise StoreError(
            f"store schema {document['schema']}, this igoudar reads {SCHEMA_VERSION}",
            where=str(store),
            fix="start `igoudar collect`, which migrates an older store; a newer store needs a newer igoudar",
        )
    return parse_manifest(document, store)


def parse_manifest(document: Mapping[str, Any], store: Path) -> Manifest:
    """A manifest document of the current schema as a Manifest.

    Raises:
        StoreError: when an entry is not what this schema says.
    """
    try:
        return Manifest(
            int(document["generation"]),
            int(document["hot_from"]),
            _parse_all(document["segments"]),
            str(document["latest"]),
            tuple((str(name), str(why)) for name, why in document["quarantined"]),
            _parse_all(document["rolled"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedManifestError(
            f"the store's manifest is malformed ({error!r})",
            where=str(store / MANIFEST_NAME),
            fix="start `igoudar collect`, which rebuilds it from the segments, or `igoudar restore` a backup",
        ) from error


def _parse_all(names: Iterable[str]) -> tuple[Segment, ...]:
    return tuple(segment for name in names if (segment := Segment.parse(name)) is not None)
