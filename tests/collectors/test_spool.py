"""The spool's bytes and bounds: any bytes are read, damage costs itself, the oldest goes first."""

import math
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igoudar.collectors.keeping import spool_folder
from igoudar.collectors.spool import Spool
from igoudar.collectors.spool_batch import Unreadable, decode, encode
from igoudar.collectors.spool_disk import FolderDisk
from igoudar.collectors.spool_done import DONE_NAME, Done
from igoudar.collectors.spool_frames import HEADER_BYTES, Damage, Record, pack, scan
from igoudar.core.errors import StoreError
from igoudar.core.model import Gap, Quality, Reading, Reason, SpoolRules

from .fake_disk import FakeDisk
from .rigs import START
from .spooled import named, reading

RULES = SpoolRules(most_bytes=40_000, hours=1000)

points = st.text(min_size=1, max_size=8)
numbers = st.floats(allow_nan=False) | st.floats(width=32, allow_nan=False)
times = st.integers(0, 10**15).map(lambda us: START + timedelta(microseconds=us))
flags = st.dictionaries(points, st.tuples(st.sampled_from(Quality), st.sampled_from(Reason)), max_size=3)
readings = st.builds(
    Reading,
    times,
    st.text(max_size=8),
    st.dictionaries(points, numbers, max_size=6),
    flags,
    st.none() | times,
    st.none() | st.builds(Gap, st.sampled_from(Reason), st.text(max_size=9)),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    max_leaves=12,
)


@given(st.lists(readings, max_size=8))
def test_a_batch_comes_back_as_it_was(batch: list[Reading]) -> None:
    assert decode(encode(batch)) == batch


def test_every_field_of_a_reading_is_carried() -> None:
    carried = {"at", "device", "values", "flags", "source_at", "gap"}
    assert {field.name for field in fields(Reading)} == carried


def test_f32_values_take_half_the_room_and_f64_values_are_not_rounded() -> None:
    narrow = [reading(0, points=50)]
    exact = [Reading(START, "d", dict.fromkeys(map(str, range(50)), 0.5))]
    assert len(encode(exact)) < len(encode(narrow)) - 4 * 40
    assert decode(encode(narrow)) == narrow


def test_a_value_that_is_no_number_stays_none() -> None:
    (found,) = decode(encode([Reading(START, "d", {"a_w": math.nan, "b_w": math.inf})]))  # type: ignore[misc]
    assert math.isnan(found.values["a_w"])
    assert found.values["b_w"] == math.inf


@given(st.binary() | anything.map(msgpack.packb))
def test_any_bytes_are_a_batch_or_the_reason_why_not(body: bytes) -> None:
    assert isinstance(decode(body), list | Unreadable)


@settings(max_examples=50)
@given(st.lists(anything, max_size=8))
def test_columns_of_anything_are_a_batch_or_the_reason_why_not(columns: list[object]) -> None:
    assert isinstance(decode(msgpack.packb([1, *columns])), list | Unreadable)


@given(st.lists(readings, min_size=1, max_size=3), st.data())
def test_a_batch_with_changed_bytes_never_raises(batch: list[Reading], data: st.DataObject) -> None:
    body = bytearray(encode(batch))
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert isinstance(decode(bytes(body)), list | Unreadable)


records = st.builds(
    Record, st.integers(0, 99), st.integers(0, 9), st.integers(-(2**63), 2**63 - 1), st.binary(max_size=60)
)


def covered(content: bytes) -> int:
    return sum(f.length if isinstance(f, Damage) else HEADER_BYTES + len(f.body) for f in scan(content))


@given(st.lists(st.binary(max_size=80) | records.map(pack) | st.just(b"igSP")).map(b"".join))
def test_a_scan_of_any_bytes_accounts_for_each_of_them(content: bytes) -> None:
    assert covered(content) == len(content)


@given(st.lists(records, min_size=1, max_size=6), st.data())
def test_a_flipped_bit_costs_only_its_own_record(kept: list[Record], data: st.DataObject) -> None:
    packed = [pack(record) for record in kept]
    hit = data.draw(st.integers(0, len(kept) - 1))
    damaged = bytearray(packed[hit])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = list(scan(b"".join([*packed[:hit], bytes(damaged), *packed[hit + 1 :]])))
    assert [f for f in found if isinstance(f, Record)] == kept[:hit] + kept[hit + 1 :]


@given(st.lists(records, min_size=1, max_size=4), st.integers(1, 200))
def test_a_torn_tail_is_no_loss(kept: list[Record], cut: int) -> None:
    content = b"".join(pack(record) for record in kept)
    last = len(pack(kept[-1]))
    found = list(scan(content[: -min(cut, last - 1)]))
    assert [f for f in found if isinstance(f, Record)] == kept[:-1]
    assert all(f.torn for f in found if isinstance(f, Damage))


ranges = st.tuples(st.integers(0, 40), st.integers(0, 5)).map(lambda r: (r[0], r[0] + r[1]))


@given(st.lists(ranges))
def test_ranges_are_a_set(spans: list[tuple[int, int]]) -> None:
    done, truth = Done(spans), {n for first, last in spans for n in range(first, last + 1)}
    assert {n for n in range(50) if n in done} == truth
    assert done.count(3, 30) == len(truth & set(range(3, 31)))
    assert all(after[0] - before[1] > 1 for before, after in zip(done.ranges, done.ranges[1:], strict=False))
    again = Done.decode(done.encode())
    assert again is not None
    assert again.ranges == done.ranges


@given(st.binary() | anything.map(lambda body: pack(Record(0, 0, 0, msgpack.packb(body)))))
def test_any_bytes_are_a_list_of_what_is_done_or_none(content: bytes) -> None:
    assert isinstance(Done.decode(content), Done | None)


@given(
    st.dictionaries(
        st.integers(0, 2**63 - 1).map(lambda n: f"{n:019d}.seg") | st.just(DONE_NAME),
        st.lists(st.binary(max_size=60) | records.map(pack)).map(b"".join),
        max_size=4,
    )
)
def test_a_spool_opens_and_works_on_any_files(files: Mapping[str, bytes]) -> None:
    spool = Spool(FakeDisk(files={name: bytearray(content) for name, content in files.items()}), RULES)
    assert spool.append([reading(1)]) > 0
    found = spool.take(10**6)
    assert "d1" in named(each for batch in found for each in batch.readings)
    spool.finish([batch.number for batch in found])
    spool.save()
    assert spool.batches == 0


def drained(spool: Spool) -> list[str]:
    found: list[str] = []
    while batches := spool.take(10):
        found += [each.device for batch in batches for each in batch.readings]
        spool.finish([batch.number for batch in batches])
    return found


def test_a_damaged_record_is_counted_and_all_others_are_given_out() -> None:
    disk = FakeDisk()
    spool = Spool(disk, RULES)
    for number in range(10):
        spool.append([reading(number), reading(number + 100)])
    (name,) = disk.files
    disk.files[name][HEADER_BYTES + 5] ^= 0xFF
    spool = Spool(disk, RULES)
    assert len(drained(spool)) == 18
    assert (spool.corrupt, spool.corrupt_readings, spool.batches) == (1, 2, 0)


def test_a_segment_that_is_gone_costs_only_itself() -> None:
    disk = FakeDisk()
    spool = Spool(disk, SpoolRules(most_bytes=8_000))
    for number in range(20):
        spool.append([reading(number)])
    names = sorted(disk.files)
    assert len(names) > 2
    del disk.files[names[1]]
    found = drained(spool)
    assert found[0] == "d0"
    assert found[-1] == "d19"
    assert (spool.corrupt, spool.batches) == (1, 0)


def test_bytes_are_bounded_and_the_oldest_go_counted() -> None:
    disk = FakeDisk()
    spool = Spool(disk, SpoolRules(most_bytes=8_000))
    for number in range(200):
        spool.append([reading(number)])
        assert sum(disk.sizes().values()) <= 8_000
    found = drained(spool)
    assert found == [f"d{n}" for n in range(200 - len(found), 200)]
    assert len(found) > 20
    assert spool.dropped == 200 - len(found)


def test_hours_are_bounded() -> None:
    spool = Spool(FakeDisk(), SpoolRules(most_bytes=8_000, hours=1.0))
    for number in range(20):
        spool.append([reading(number, at_s=number)])
    spool.append([reading(99, at_s=2 * 3600)])
    assert drained(spool)[-1] == "d99"
    assert 0 < spool.dropped <= 20


def test_a_batch_on_its_way_is_not_counted_as_dropped() -> None:
    spool = Spool(FakeDisk(), SpoolRules(most_bytes=8_000))
    first = spool.append([reading(0)], give=True)
    for number in range(1, 200):
        spool.append([reading(number)])
    spool.finish([first])
    assert spool.dropped + len(drained(spool)) == 199


def test_a_batch_larger_than_the_spool_is_kept_alone() -> None:
    spool = Spool(FakeDisk(), SpoolRules(most_bytes=300))
    spool.append([reading(0, points=1)])
    spool.append([reading(n, points=30) for n in range(1, 9)])
    assert len(drained(spool)) == 8


def test_two_processes_never_share_a_spool(tmp_path: Path) -> None:
    with spool_folder(tmp_path), pytest.raises(StoreError, match="another process"), spool_folder(tmp_path):
        pass


def test_a_real_folder_keeps_what_a_fake_one_does(tmp_path: Path) -> None:
    spool = Spool(FolderDisk(tmp_path / "s"), RULES)
    for number in range(30):
        spool.append([reading(number)])
    spool.finish([batch.number for batch in spool.take(10)])
    spool.save()
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700
    spool = Spool(FolderDisk(tmp_path / "s"), RULES)
    assert drained(spool) == [f"d{n}" for n in range(10, 30)]
    spool.save()
    assert [path.name for path in (tmp_path / "s").iterdir()] == [DONE_NAME]
