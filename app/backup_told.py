"""What a backup says of itself: all that is in it, and by name what is not, or can't be known."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from igoudar.app.backup import Contents
from igoudar.app.kept import Kept
from igoudar.core.i18n import render

Note = tuple[str, Mapping[str, Any]]


def contents_text(found: Contents, lang: str) -> str:
    """What is in an archive, in one phrase."""
    codes = ["keep_part_samples"] * found.stored + ["keep_part_spool"]
    codes += ["keep_part_records"] * bool(found.records) + ["keep_part_anchors"]
    return ", ".join(render(f"app.{code}", found.as_json(), lang) for code in codes)


def missing(found: Contents, kept: Kept, state: Path) -> Iterator[Note]:
    """What is not in it, or may not be, each with what to do about it."""
    if kept.unknown:
        yield "app.keep_unknown", {"why": kept.unknown}
    if not found.records:
        code = "app.keep_no_export" if kept.audit.url_file else "app.keep_no_records"
        yield code, {"state": str(state)}
    if kept.samples_elsewhere:
        code = "app.keep_influx_too" if found.stored else "app.keep_influx"
        yield code, {"url": kept.store.url, "bucket": kept.store.bucket}
