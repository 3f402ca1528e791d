"""Appending, reading back, and what a bad value and a gap become."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.store.samples import POWER, at, reading

from igoudar.core.errors import StoreError
from igoudar.core.model import Gap, Quality, Reading, Reason
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.protocol import Series
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.rollup import KIND_SCHEMA, as_buckets, roll_up, with_good_share
from igoudar.core.store.rows import ROW_SCHEMA, to_us


def test_what_was_appended_is_read_back_from_another_reader(tmp_path: Path) -> None:
    with ParquetStore.open(tmp_path / "store") as store:
        store.append([reading(0, 10.0), reading(5, 20.0)])
        store.append([reading(10, 30.0)])
        frame = ParquetReader(tmp_path / "store").range([POWER], at(0), at(10))
    assert frame["value"].to_list() == [10.0, 20.0]
    assert frame["time"].to_list() == [at(0), at(5)]
    assert set(frame["device"]) == {"pdu-1"}


def test_latest_is_the_newest_reading_of_each_device(tmp_path: Path) -> None:
    with ParquetStore.open(tmp_path / "store") as store:
        store.append([reading(0, 10.0), reading(0, 1.0, "pdu-2")])
        store.append([reading(5, 20.0)])
        latest = store.latest()
        assert latest["pdu-1"] == reading(5, 20.0)
        assert latest["pdu-2"] == reading(0, 1.0, "pdu-2")
        assert set(store.latest(["pdu-2", "unknown"])) == {"pdu-2"}


def test_a_bad_value_is_null_with_its_reason(tmp_path: Path) -> None:
    bad = Reading(at(0), "pdu-1", {"voltage_v": 230.0}, {"active_power_w": (Quality.BAD, Reason.SENTINEL)})
    with ParquetStore.open(tmp_path / "store") as store:
        store.append([bad])
        row = store.range([POWER], at(0), at(1)).row(0, named=True)
        assert (row["value"], row["quality"], row["reason"]) == (None, Quality.BAD, Reason.SENTINEL)
        assert store.latest()["pdu-1"] == bad


def test_a_gap_is_one_row_and_comes_back_as_a_gap(tmp_path: Path) -> None:
    gap = Reading(at(5), "pdu-1", {}, gap=Gap(Reason.TIMEOUT))
    with ParquetStore.open(tmp_path / "store") as store:
        store.append([reading(0, 10.0), gap])
        assert store.latest()["pdu-1"] == gap
        assert store.range([Series("pdu-1", "_gap")], at(0), at(9))["reason"].to_list() == [Reason.TIMEOUT]


def test_downsample_folds_good_values_and_leaves_gaps_out(tmp_path: Path) -> None:
    uncertain = Reading(
        at(6), "pdu-1", {"active_power_w": 999.0}, {"active_power_w": (Quality.UNCERTAIN, Reason.FROZEN)}
    )
    gap = Reading(at(25), "pdu-1", {}, gap=Gap(Reason.TIMEOUT))
    with ParquetStore.open(tmp_path / "store") as store:
        store.append([reading(0, 10.0), reading(3, 30.0), uncertain, gap, reading(27, 5.0), reading(31, 7.0)])
        frame = store.downsample([POWER], at(0), at(40), timedelta(seconds=10))
    assert frame["time"].to_list() == [at(0), at(20), at(30)]
    assert frame.row(0)[3:7] == (20.0, 10.0, 30.0, 30.0)
    assert frame["good_share"].to_list() == pytest.approx([2 / 3, 1 / 2, 1.0])


def test_last_time_of_an_empty_store_is_none(tmp_path: Path) -> None:
    with ParquetStore.open(tmp_path / "store") as store:
        assert store.last_time() is None
        store.append([reading(7, 1.0)])
        assert store.last_time() == at(7)


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    with (
        ParquetStore.open(tmp_path / "store"),
        pytest.raises(StoreError, match="another process"),
    ):
        ParquetStore.open(tmp_path / "store")


def test_merging_changes_no_answer(tmp_path: Path) -> None:
    with ParquetStore.open(tmp_path / "store", hot_limit=4) as store:
        for second in range(40):
            store.append([reading(second, float(second)), reading(second, -1.0, f"pdu-{second}")])
    with ParquetStore.open(tmp_path / "store") as store:
        assert store.range([POWER], at(0), at(40))["value"].to_list() == [
            -1.0 if second == 1 else float(second) for second in range(40)
        ]
        assert len(store.latest()) == 40


def test_asking_for_what_was_never_stored_gives_nothing(tmp_path: Path) -> None:
    with ParquetStore.open(tmp_path) as store:
        store.append([])
        assert store.latest() == {}
        assert store.downsample([POWER], at(0), at(9), timedelta(seconds=1)).is_empty()
        store.append([reading(0, 1.0, "other")])
        assert store.range([POWER], at(0), at(9)).is_empty()
        assert store.range([], at(0), at(9)).is_empty()
        assert set(store.latest()) == {"other"}


def test_a_replayed_batch_changes_nothing(tmp_path: Path) -> None:
    with ParquetStore.open(tmp_path) as store:
        for _ in range(3):
            store.append([reading(0, 1.0), reading(5, 2.0)])
        assert store.range([POWER], at(0), at(9))["value"].to_list() == [1.0, 2.0]
        assert store.latest() == {"pdu-1": reading(5, 2.0)}


def test_the_source_time_is_kept_beside_the_received_one(tmp_path: Path) -> None:
    late = Reading(at(5), "turbine-1", {"active_power_w": 1.0}, source_at=at(3.25))
    with ParquetStore.open(tmp_path) as store:
        store.append([late])
        assert store.latest()["turbine-1"].source_at == at(3.25)


samples = st.lists(
    st.tuples(st.integers(0, 59), st.floats(-1e9, 1e9), st.sampled_from(list(Quality))),
    unique_by=lambda sample: sample[0],
)


@given(samples, st.integers(1, 30))
def test_downsampling_agrees_with_counting_by_hand(
    found: list[tuple[int, float, Quality]], step: int
) -> None:
    found.sort()
    rows = [
        (1, to_us(at(second)), None, None if quality is Quality.BAD else value, quality, 0)
        for second, value, quality in found
    ]
    buckets = as_buckets(pl.DataFrame(rows, schema=ROW_SCHEMA, orient="row"))
    folded = roll_up(buckets, pl.DataFrame(schema=KIND_SCHEMA), step * 1_000_000, to_us(at(0)), seams=True)
    frame = with_good_share(folded).with_columns(
        time=pl.from_epoch("time_us", time_unit="us").dt.replace_time_zone("UTC")
    )
    expected = {}
    for begin in range(0, 60, step):
        here = [sample for sample in found if begin <= sample[0] < begin + step]
        good = [value for _, value, quality in here if quality is Quality.GOOD]
        if good:
            expected[at(begin)] = (min(good), max(good), good[-1], len(good) / len(here))
    assert {
        row["time"]: (row["min"], row["max"], row["last"], row["good_share"]) for row in frame.to_dicts()
    } == (expected)
    assert all(
        low - 1e-3 <= mean <= high + 1e-3 for mean, low, high in frame.select("mean", "min", "max").rows()
    )
