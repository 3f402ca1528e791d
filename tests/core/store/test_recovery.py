"""A damaged file costs only itself, and is named."""

import logging
from pathlib import Path

import pytest
from tests.core.store.samples import POWER, at, reading

from igoudar.core.errors import StoreError
from igoudar.core.store.manifest import load_manifest
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.verify import verify_store


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def filled(store: Path, seconds: int, hot_limit: int = 1000) -> None:
    with ParquetStore.open(store, hot_limit=hot_limit) as writer:
        for second in range(seconds):
            writer.append([reading(second, float(second))])


def values(store: Path) -> list[float]:
    found: list[float] = ParquetReader(store).range([POWER], at(0), at(1000))["value"].to_list()
    return found


def test_a_reader_leaves_out_a_damaged_segment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filled(tmp_path, 3)
    flip_a_bit(sorted((tmp_path / "hot").iterdir())[1])
    with caplog.at_level(logging.WARNING):
        assert values(tmp_path) == [0.0, 2.0]
    assert "damaged" in caplog.text


def test_the_writer_sets_a_damaged_hot_segment_aside_and_names_it(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    victim = sorted((tmp_path / "hot").iterdir())[1]
    flip_a_bit(victim)
    filled(tmp_path, 0)
    assert load_manifest(tmp_path).quarantined == ((victim.name, "damaged"),)
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == [victim.name]
    assert values(tmp_path) == [0.0, 2.0]


def test_a_damaged_merged_segment_is_found_by_the_next_merge(tmp_path: Path) -> None:
    filled(tmp_path, 2, hot_limit=2)
    victim = next((tmp_path / "cold").rglob("*.parquet"))
    flip_a_bit(victim)
    with ParquetStore.open(tmp_path, hot_limit=2) as writer:
        for second in range(2, 4):
            writer.append([reading(second, float(second))])
    with ParquetStore.open(tmp_path, hot_limit=2) as writer:
        for second in range(4, 6):
            writer.append([reading(second, float(second))])
    assert (victim.name, "damaged") in load_manifest(tmp_path).quarantined
    assert values(tmp_path) == [2.0, 3.0, 4.0, 5.0]


def test_a_missing_merged_segment_is_named_at_the_next_start(tmp_path: Path) -> None:
    filled(tmp_path, 3, hot_limit=2)
    victim = next((tmp_path / "cold").rglob("*.parquet"))
    victim.unlink()
    filled(tmp_path, 0)
    assert load_manifest(tmp_path).quarantined == ((victim.name, "missing"),)


def test_a_damaged_manifest_is_rebuilt_from_the_segments(tmp_path: Path) -> None:
    filled(tmp_path, 7, hot_limit=3)
    flip_a_bit(tmp_path / "manifest.json")
    with pytest.raises(StoreError, match="manifest"):
        values(tmp_path)
    filled(tmp_path, 0)
    assert values(tmp_path) == [float(second) for second in range(7)]


def test_newest_readings_survive_damage_to_their_file(tmp_path: Path) -> None:
    filled(tmp_path, 3, hot_limit=3)
    flip_a_bit(next(tmp_path.glob("latest_*")))
    assert ParquetReader(tmp_path).latest() == {"pdu-1": reading(2, 2.0)}
    next(tmp_path.glob("latest_*")).unlink()
    filled(tmp_path, 0)
    assert ParquetReader(tmp_path).latest() == {"pdu-1": reading(2, 2.0)}


def test_a_damaged_dictionary_is_read_from_its_mirror_and_mended(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    book = next(tmp_path.glob("series_*"))
    for path in (book, tmp_path / "mirror" / book.name):
        flip_a_bit(path)
        assert values(tmp_path) == [0.0, 1.0]
        assert verify_store(tmp_path).damaged == (str(path.relative_to(tmp_path)),)
        filled(tmp_path, 0)
        assert not verify_store(tmp_path).damaged
    book.unlink()
    filled(tmp_path, 3)
    assert values(tmp_path) == [0.0, 1.0, 2.0]


def test_a_dictionary_damaged_twice_is_refused_rather_than_misread(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    for path in tmp_path.rglob("series_*"):
        flip_a_bit(path)
    with pytest.raises(StoreError, match="dictionary"):
        values(tmp_path)
    with pytest.raises(StoreError, match="dictionary"):
        ParquetStore.open(tmp_path)


def test_reading_where_no_store_is_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="igoudar up"):
        ParquetReader(tmp_path / "nowhere").last_time()
