"""The lease of two hosts on a real PostgreSQL."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.peers.postgres import Server, postgres

from igoudar.control.lease.postgres import PostgresLease
from igoudar.control.records.opening import open_records
from igoudar.control.records.state import Records
from igoudar.core.model_people import Auditing

LEASE_S, GRACE_S = 0.4, 0.2


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres() as running:
        yield running


@pytest.fixture
def records(server: Server, tmp_path: Path) -> Iterator[Records]:
    opened = open_records(Auditing(url_file=str(server.create(tmp_path))), tmp_path)
    yield opened
    opened.close()


def lease(records: Records, seen: int = 0, lease_s: float = LEASE_S) -> PostgresLease:
    made = PostgresLease(records.engine, lambda: seen, lease_s, GRACE_S)
    made._holder = f"host-{id(made)}"
    return made


def taken_after_s(one: PostgresLease) -> float:
    began = time.monotonic()
    while not one.take():
        assert time.monotonic() < began + 20
    return time.monotonic() - began


def test_one_at_a_time_and_renewals_keep_it(records: Records) -> None:
    first, second = lease(records, lease_s=30.0), lease(records)
    assert first.take()
    assert not second.take()
    assert (first.epoch, second.epoch, second.held(), second.remaining_s()) == (1, 0, False, 0.0)
    assert 29 < first.remaining_s() <= 30
    assert first.take()
    assert first.epoch == 1
    assert first.deadline_s() == pytest.approx(time.monotonic() + 30, abs=1)
    first.close()


def test_a_takeover_waits_for_the_lease_and_the_longest_write(records: Records) -> None:
    first, second = lease(records), lease(records)
    assert first.take()
    began = time.monotonic()
    taken_after_s(second)
    assert time.monotonic() - began >= LEASE_S + GRACE_S - 0.05
    assert not first.held()
    assert not first.take()
    assert (second.epoch, second.held()) == (2, True)


def test_one_that_is_given_back_is_free_after_the_longest_write(records: Records) -> None:
    first, second = lease(records, lease_s=30.0), lease(records)
    assert first.take()
    first.close()
    assert not first.held()
    assert GRACE_S - 0.05 <= taken_after_s(second) < 15


def test_the_epoch_never_falls_behind_what_collect_has_obeyed(records: Records) -> None:
    first = lease(records, seen=41)
    assert first.take()
    assert first.epoch == 42


def test_without_the_database_it_ends_by_our_own_clock(server: Server, records: Records) -> None:
    first = lease(records)
    assert first.take()
    with records.engine.begin() as connection:
        connection.execute(text("ALTER TABLE writer_lease RENAME TO away"))
    first.take()
    end = time.monotonic() + 20
    while first.held():
        assert time.monotonic() < end
    assert first.remaining_s() == 0.0


def test_a_wall_clock_that_leapt_while_we_slept_ends_it(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lease(records, lease_s=30.0)
    assert first.take()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60)
    assert not first.held()
