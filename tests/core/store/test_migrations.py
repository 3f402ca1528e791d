"""A store that an older igoudar wrote, byte by byte as it wrote it."""

import io
import json
import zlib
from pathlib import Path

import polars as pl
import pytest
from tests.core.store.samples import POWER, at, reading

from igoudar.core.errors import StoreError
from igoudar.core.store.manifest import read_document
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.rows import to_us


def as_parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def write_segment_1(folder: Path, level: int, first: int, last: int, seconds: list[int]) -> str:
    """A segment of schema 1: no source time."""
    rows = [
        (number, to_us(at(second)), value, 0, 0)
        for number, value in ((1, float(seconds[-1])), (2, 230.0))
        for second in seconds
    ]
    columns = {
        "series": pl.UInt32(),
        "time_us": pl.Int64(),
        "value": pl.Float64(),
        "quality": pl.UInt8(),
        "reason": pl.UInt8(),
    }
    content = as_parquet(pl.DataFrame(rows, schema=columns, orient="row"))
    times = f"{to_us(at(seconds[0]))}_{to_us(at(seconds[-1]))}_{len(rows)}"
    name = f"L{level}_{first:010d}-{last:010d}_{times}_{zlib.crc32(content):08x}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return name


@pytest.fixture
def store_of_schema_1(tmp_path: Path) -> Path:
    merged = write_segment_1(tmp_path / "cold" / "2026-11-22", 1, 1, 2, [0, 5])
    write_segment_1(tmp_path / "hot", 0, 3, 3, [10])
    book = pl.DataFrame(
        [(0, "pdu-1", "_gap"), (1, "pdu-1", "active_power_w"), (2, "pdu-1", "voltage_v")],
        schema={"series": pl.UInt32(), "device": pl.String(), "point": pl.String()},
        orient="row",
    )
    content = as_parquet(book)
    (tmp_path / f"series_00000001_{zlib.crc32(content):08x}.parquet").write_bytes(content)
    manifest = {"schema": 1, "generation": 1, "hot_from": 3, "segments": [merged], "quarantined": []}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_a_store_of_schema_1_is_migrated_and_keeps_every_sample(store_of_schema_1: Path) -> None:
    with ParquetStore.open(store_of_schema_1) as store:
        assert store.range([POWER], at(0), at(99))["value"].to_list() == [5.0, 5.0, 10.0]
        assert store.latest() == {"pdu-1": reading(10, 10.0)}
        store.append([reading(15, 15.0)])
        assert store.last_time() == at(15)
    assert read_document(store_of_schema_1)["schema"] == 3
    assert not list((store_of_schema_1 / "hot").glob("*0000000003-*"))


def test_a_reader_of_a_store_not_yet_migrated_says_what_to_do(store_of_schema_1: Path) -> None:
    with pytest.raises(StoreError, match="igoudar collect"):
        ParquetReader(store_of_schema_1).last_time()


def test_a_store_of_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"schema": 99, "crc32": 0}))
    with pytest.raises(StoreError, match="99"):
        ParquetStore.open(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text())["schema"] == 99
