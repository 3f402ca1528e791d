import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from igoudar.control.records.schema import MIGRATIONS
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ActionRow, PublishedRow
from igoudar.core.errors import StoreError

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def action(target: str, at: datetime = T0) -> ActionRow:
    return ActionRow(
        at=at,
        who="control",
        verb="delay",
        target=target,
        before=None,
        after="later",
        code="control.wait",
        params={"power_w": 1.0},
        result="done",
        config_version="abc",
    )


def test_actions_survive_a_restart_newest_first(tmp_path: Path) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    records.add([action("a"), action("b", T0.astimezone(timezone(timedelta(hours=1))))])
    records.close()
    again = Records.open(tmp_path / "state.sqlite")
    rows = again.actions()
    again.close()
    assert [row.target for row in rows] == ["b", "a"]
    assert rows[0].at == T0
    assert rows[0].at.tzinfo is UTC
    assert rows[0].params == {"power_w": 1.0}


def test_published_values_replace_and_are_pruned(tmp_path: Path) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    for value in (1.0, 2.0):
        records.merge([PublishedRow(name="pue", time=T0, value=value, edition="x")])
    assert [row.value for row in records.published(T0)] == [2.0]
    records.prune(T0 + timedelta(seconds=1))
    assert records.published(T0) == []
    records.close()


def test_readers_come_in_while_it_is_open(tmp_path: Path) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    records.add([action("a")])
    with sqlite3.connect(tmp_path / "state.sqlite") as reader:
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert reader.execute("SELECT count(*) FROM actions").fetchone() == (1,)
    reader.close()
    records.close()


def test_a_newer_schema_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    with pytest.raises(StoreError, match="update igoudar"):
        Records.open(path)


def test_what_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_text("this is not a database, it is a letter" * 100)
    with pytest.raises(StoreError, match="refused"):
        Records.open(tmp_path / "state.sqlite")
