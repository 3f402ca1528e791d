"""Roll-ups give what the samples give, in whatever order these came; retention keeps them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from tests.core.store.model import Sample, assert_same, expected, given
from tests.core.store.samples import POWER, START, at, reading

from igoudar.core.model import Gap, Quality, Reading, Reason
from igoudar.core.store import closing
from igoudar.core.store.manifest import load_manifest
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.store.protocol import Series
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.tiers import MINUTE, QUARTER, RAW, Retention, Tier
from igoudar.core.store.verify import verify_store

METER = Series("meter-1", "active_energy_import_wh")
SERIES = (POWER, METER, Series("pdu-1", "voltage_v"))
DAY = timedelta(days=1)

moments = st.integers(0, 3 * 3600) | st.integers(0, 300)
values = st.integers(-5, 1000).map(float)
one_sample = st.tuples(
    st.sampled_from(SERIES), moments, values, st.sampled_from([*[Quality.GOOD] * 3, *Quality])
)
batches = st.lists(st.lists(one_sample, max_size=8), max_size=12)
steps = st.sampled_from([7, 60, 90, 120, 900, 1800, 3600, 4500])


def as_reading(series: Series, second: int, value: float, quality: Quality) -> Reading:
    flags = {} if quality is Quality.GOOD else {series.point: (quality, Reason.FROZEN)}
    kept = {} if quality is Quality.BAD else {series.point: value}
    return Reading(at(second), series.device, kept, flags)


def stored(batches: Sequence[Sequence[tuple[Series, int, float, Quality]]]) -> dict[Series, list[Sample]]:
    """What counts once all is stored: of a sample stored twice the later one."""
    found: dict[Series, dict[datetime, Sample]] = {series: {} for series in SERIES}
    for batch in batches:
        for series, second, value, quality in batch:
            kept = None if quality is Quality.BAD else value
            found[series][at(second)] = (at(second), kept, quality)
    return {series: list(samples.values()) for series, samples in found.items()}


@settings(max_examples=60, deadline=None)
@for_all(batches, steps, st.integers(0, 200), st.integers(1, 9), st.booleans())
def test_roll_ups_give_what_the_samples_give(
    batches: list[list[tuple[Series, int, float, Quality]]],
    step_s: int,
    start_s: int,
    shard_rows: int,
    compact: bool,
) -> None:
    start, end, step = at(start_s * 60), at(3 * 3600 + 1), timedelta(seconds=step_s)
    samples = stored(batches)
    with TemporaryDirectory() as folder, patch.object(closing, "SHARD_ROWS", shard_rows):
        with ParquetStore.open(Path(folder), hot_limit=2) as store:
            for batch in batches:
                store.append([as_reading(*one) for one in batch])
            if compact:
                store.compact()
            for series in SERIES:
                found = given(store.rollup([series], start, end, step))
                assert_same(found, expected(series, samples[series], start, end, step))
        assert not verify_store(Path(folder)).damaged


@settings(max_examples=40, deadline=None)
@for_all(batches, st.lists(st.integers(0, 11), max_size=12))
def test_a_replay_in_any_order_changes_no_roll_up(
    batches: list[list[tuple[Series, int, float, Quality]]], again: list[int]
) -> None:
    once: dict[tuple[Series, int], tuple[Series, int, float, Quality]] = {}
    for batch in batches:
        for one in batch:
            once.setdefault((one[0], one[1]), one)
    plain = [[once[one[0], one[1]] for one in batch] for batch in batches]
    samples = stored(plain)
    with TemporaryDirectory() as folder, ParquetStore.open(Path(folder), hot_limit=2) as store:
        for batch in [*plain, *(plain[index] for index in again if index < len(plain))]:
            store.append([as_reading(*one) for one in batch])
            store.compact()
        for series in SERIES:
            found = given(store.rollup([series], START, at(10_801), timedelta(minutes=15)))
            assert_same(found, expected(series, samples[series], START, at(10_801), timedelta(minutes=15)))


def segments(store: Path, tier: Tier) -> int:
    return sum(one.tier is tier for one in load_manifest(store).merged)


@settings(max_examples=25, deadline=None)
@for_all(
    st.lists(st.lists(st.tuples(st.integers(0, 6), moments, values), min_size=1, max_size=6), max_size=10),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_retention_drops_nothing_that_is_not_rolled_up(
    batches: list[list[tuple[int, int, float]]], raw_days: int, more_days: int
) -> None:
    wanted: set[datetime] = set()
    keep = Retention(raw_days, raw_days + more_days, 99)
    with TemporaryDirectory() as folder:
        with ParquetStore.open(Path(folder), hot_limit=2, retention=keep) as store:
            for batch in batches:
                seconds = [day * 86_400 + second for day, second, _ in batch]
                store.append([reading(second, batch[0][2]) for second in seconds])
                wanted |= {at(second - second % 900) for second in seconds}
                store.compact()
            found = store.rollup([POWER], START, START + 9 * DAY, timedelta(minutes=15))
            assert set(found["time"]) == wanted
        kept = {one.day for one in load_manifest(Path(folder)).cold}
        assert len(kept) <= raw_days


def filled_days(store: Path, days: int, keep: Retention) -> None:
    with ParquetStore.open(store, hot_limit=4, retention=keep) as writer:
        for day in range(days):
            for minute in range(0, 90, 10):
                writer.append([reading(day * 86_400 + minute * 60, float(day))])
            writer.compact()


def test_each_tier_keeps_its_days(tmp_path: Path) -> None:
    filled_days(tmp_path, 6, Retention(2, 3, 4))
    days = {tier: set[str]() for tier in (RAW, MINUTE, QUARTER)}
    for one in load_manifest(tmp_path).merged:
        days[one.tier].add(one.day)
    assert [len(days[tier]) for tier in (RAW, MINUTE, QUARTER)] == [2, 3, 4]
    filled_days(tmp_path, 0, Retention())
    kept = {path.name for path in tmp_path.glob("cold/*")}
    assert len(kept) == 2


def test_a_chart_of_days_whose_samples_are_gone_is_as_fine_as_what_is_left(tmp_path: Path) -> None:
    filled_days(tmp_path, 5, Retention(1, 2, 9))
    reader = ParquetReader(tmp_path)
    frame = reader.downsample([POWER], START, START + 5 * DAY, timedelta(seconds=10))
    per_day = frame.group_by(frame["time"].dt.date(), maintain_order=True).len()["len"].to_list()
    assert per_day == [6, 6, 6, 9, 9]
    assert reader.range([POWER], START, START + 4 * DAY).is_empty()


def test_a_sample_with_a_wrong_year_costs_no_more_than_a_day(tmp_path: Path) -> None:
    filled_days(tmp_path, 2, Retention(3, 3, 3))
    with ParquetStore.open(tmp_path, hot_limit=4, retention=Retention(3, 3, 3)) as writer:
        writer.append([reading(40 * 365 * 86_400.0, 1.0)])
        writer.compact()
        assert writer.range([POWER], START, START + 2 * DAY).height == 18


def test_a_late_sample_of_a_day_long_gone_adds_to_its_roll_up(tmp_path: Path) -> None:
    filled_days(tmp_path, 3, Retention(1, 1, 9))
    late, known = reading(7200, 77.0), reading(0, 99.0)
    with ParquetStore.open(tmp_path, hot_limit=4, retention=Retention(1, 1, 9)) as writer:
        writer.append([late, known])
        writer.compact()
        found = writer.downsample([POWER], START, START + DAY, timedelta(minutes=15))
    means = dict(found.select("time", "mean").rows())
    assert means[at(7200)] == 77.0
    assert means[at(0)] == 0.0  # fuller: the samples that were rolled up then


def test_days_of_roll_ups_become_one_file_a_tier(tmp_path: Path) -> None:
    filled_days(tmp_path, 3, Retention())
    assert segments(tmp_path, MINUTE) == segments(tmp_path, QUARTER) == 2 + 2  # the last day is still open
    assert segments(tmp_path, RAW) == 6


def test_gaps_lower_the_good_share_of_roll_ups_too(tmp_path: Path) -> None:
    gap = Reading(at(10), "pdu-1", {}, gap=Gap(Reason.TIMEOUT))
    with ParquetStore.open(tmp_path) as store:
        store.append([reading(0, 1.0), gap, reading(20, 1.0)])
        store.compact()
        frame = store.downsample([POWER], at(0), at(60), timedelta(minutes=1))
    assert frame["good_share"].to_list() == pytest.approx([2 / 3])


def test_a_damaged_roll_up_is_answered_by_samples_and_made_again(tmp_path: Path) -> None:
    filled_days(tmp_path, 2, Retention())
    before = ParquetReader(tmp_path).rollup([POWER], START, START + 2 * DAY, timedelta(minutes=15))
    victim = next((tmp_path / "quarter").rglob("*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-9] + b"123456789")
    after = ParquetReader(tmp_path).rollup([POWER], START, START + 2 * DAY, timedelta(minutes=15))
    assert after.equals(before)
    victim.unlink()
    with ParquetStore.open(tmp_path) as store:
        store.compact()
        assert store.rollup([POWER], START, START + 2 * DAY, timedelta(minutes=15)).equals(before)
    assert verify_store(tmp_path).damaged == ()
