import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.control.records.lines import action

from igoudar.control.records.engine import place_of
from igoudar.control.records.schema import MIGRATIONS
from igoudar.control.records.state import Records
from igoudar.core.errors import StoreError


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


def test_no_form_of_an_address_tells_its_password() -> None:
    for where in ("u:geheim@h/d", "u@h/d?password=geheim", "u@h/d?sslmode=require&sslpassword=geheim"):
        shown = place_of(make_url(f"postgresql://{where}"))
        assert "geheim" not in shown
        assert "@h/d" in shown
