"""The records of a site: SQLite in its state folder, or the PostgreSQL that its site file names."""

from pathlib import Path

from igoudar.control.records import engine
from igoudar.control.records.anchor import Anchor, anchors
from igoudar.control.records.state import Records
from igoudar.core.model_people import Auditing

RECORDS = "state.sqlite"  # in the state folder


def open_records(rules: Auditing, state: Path) -> Records:
    """Open them, made and migrated where needed, with every anchor of their audit.

    Raises:
        ConfigError: the file with the database's address can't be used.
        StoreError: the database can't be used.
    """
    files = anchors_of(rules, state)
    if not rules.url_file:
        return Records.open(state / RECORDS, files)
    database = engine.postgres(Path(rules.url_file).expanduser())
    return Records.of(database, engine.place(database), files)


def anchors_of(rules: Auditing, state: Path) -> tuple[Anchor, ...]:
    """Where the end of a site's audit is anchored."""
    return anchors(state, str(Path(rules.anchor_file).expanduser()) if rules.anchor_file else "")
