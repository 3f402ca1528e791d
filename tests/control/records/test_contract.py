"""What the records promise, on SQLite and on PostgreSQL alike."""

import math
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select
from tests.control.records.lines import T0, action

from igoudar.control.records.audit import verify
from igoudar.control.records.opening import open_records
from igoudar.control.records.own_tables import LeaseRow
from igoudar.control.records.safety_tables import EventRow, OverrideRow
from igoudar.control.records.state import Records
from igoudar.control.records.tables import Base, NoticeRow, PublishedRow
from igoudar.core.model_people import Auditing


def test_every_table_is_made(records: Records) -> None:
    assert set(Base.metadata.tables) <= set(inspect(records.engine).get_table_names())


def test_actions_survive_a_restart_newest_first(rules: Auditing, tmp_path: Path) -> None:
    records = open_records(rules, tmp_path)
    records.add([action("a"), action("b", T0.astimezone(timezone(timedelta(hours=1))))])
    records.close()
    again = open_records(rules, tmp_path)
    rows = again.actions()
    again.close()
    assert [(row.id, row.target, row.at) for row in rows] == [(2, "b", T0), (1, "a", T0)]
    assert rows[0].params == {"power_w": 1.0}


def test_actions_of_a_target_and_a_period(records: Records) -> None:
    hours = [action(f"job-{n % 2}", T0 + timedelta(hours=n)) for n in range(6)]
    records.add(hours)
    found = records.actions(target="job-1", since=T0 + timedelta(hours=1), until=T0 + timedelta(hours=5))
    assert [row.id for row in found] == [4, 2]
    assert len(records.actions(limit=None)) == 6


def test_merge_replaces_by_key_also_of_two_columns(records: Records) -> None:
    for value in (1.0, 2.0):
        records.merge([PublishedRow(name="pue", time=T0, value=value, edition="x")])
    hold = {"at": T0, "until": T0, "who": "ada", "reason": "x"}
    for value in (1.0, None):
        records.merge([OverrideRow(target="bat", point="power_w", value=value, **hold)])
    assert [row.value for row in records.published(T0)] == [2.0]
    records.prune(T0 + timedelta(seconds=1))
    assert records.published(T0) == []


def test_rows_without_actions_get_their_own_numbers(records: Records) -> None:
    rows = [NoticeRow(at=T0, number=n, target="t", title="", body="", priority=1, attempts=0, delivered=False)
            for n in (7, 8)]  # fmt: skip
    records.add(rows)
    assert records.next_notice() == 9
    assert [row.number for row in records.open_notices()] == [7, 8]


def test_an_event_keeps_its_document(records: Records) -> None:
    detail = {"note": "é", "limits": [1.5, None], "deep": {"x": True}}
    row = EventRow(
        id="e1",
        kind="shed",
        source="operator",
        who="ada",
        at=T0,
        starts_at=T0,
        ends_at=None,
        limit_w=1.0,
        baseline_w=None,
        state="active",
        detail=detail,
    )
    records.add([row])
    (row,) = records.rows(select(EventRow))
    assert (row.detail, row.ends_at, row.at) == (detail, None, T0)


def test_what_names_from_outside_may_hold_comes_back_and_verifies(records: Records) -> None:
    hostile = "\x1b[31m\0\u202e\ud800 '; DROP TABLE actions;--"
    params = {"name": hostile, "inf": math.inf, "when": T0, "deep": [(1, 2.0)], "\0": None}
    records.add([action(hostile, params=params)])
    (row,) = records.actions()
    assert "DROP TABLE" in row.target
    assert row.params["deep"] == [[1, 2.0]]
    assert verify(records).whole


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(params=st.dictionaries(st.text(max_size=6), values, max_size=4), text=st.text(max_size=20))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_is_recorded_verifies(records: Records, params: dict[str, object], text: str) -> None:
    records.add([action(text, params=params, after=text, at=datetime.now(T0.tzinfo))])
    assert verify(records).whole


def test_two_writers_never_fork_the_chain(rules: Auditing, tmp_path: Path) -> None:
    opened = [open_records(rules, tmp_path) for _ in range(2)]

    def write(records: Records) -> None:
        for n in range(20):
            records.add([action(f"job-{n}"), action(f"job-{n}")])

    threads = [threading.Thread(target=write, args=(records,)) for records in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = verify(opened[0])
    assert (verdict.whole, verdict.end.number) == (True, 80)
    for records in opened:
        assert records.trouble == ""
        records.close()


def test_the_lease_row_waits_for_its_first_holder(records: Records) -> None:
    (row,) = records.rows(select(LeaseRow))
    assert (row.epoch, row.holder) == (0, "")
