"""Lesson 20: a type conflict drops no points, a 400 or 422 is not retried for ever, a lost write raises."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from tests.core.store.samples import POWER, at, reading
from tests.peers.influx import Answer, Proxy, free_port, influxql

from igoudar.core.errors import StoreBusyError, StoreRefusedError
from igoudar.core.model import Quality, Reading, Reason
from igoudar.core.store.influx import InfluxStore
from igoudar.core.store.influx_place import InfluxPlace
from igoudar.core.store.protocol import Series

VOLTAGE = Series("pdu-1", "voltage_v")


@pytest.fixture
def store(influx_place: InfluxPlace) -> Iterator[InfluxStore]:
    with InfluxStore(influx_place) as opened:
        yield opened


def stored(store: InfluxStore, series: Series) -> list[float]:
    found: list[float] = store.range([series], at(0), at(10_000))["value"].to_list()
    return found


def write_line(place: InfluxPlace, line: str) -> None:
    """Somebody else's line, in nanoseconds."""
    asked = {"bucket": place.bucket, "precision": "ns"}
    httpx.post(f"{place.url}/api/v2/write", params=asked, content=line, trust_env=False).raise_for_status()


def test_lesson_20_a_field_of_another_type_costs_only_itself_and_is_named(
    store: InfluxStore, influx_place: InfluxPlace
) -> None:
    write_line(influx_place, f"pdu,device=other active_power_w=5i {int(at(0).timestamp()) * 10**9}")
    batch = [
        *(reading(second, float(second)) for second in range(1, 50)),
        reading(1, 7.0, "turbine-1"),
        Reading(at(60), "pdu-1", {"active_power_w": 1.0}),
    ]
    with pytest.raises(StoreRefusedError, match="active_power_w") as refused:
        store.append(batch)
    assert "already exists as type integer" in str(refused.value)
    assert set(refused.value.refused) == {*range(49), 50}
    assert refused.value.refused[0].startswith("pdu,device=pdu-1,hall=hall\\ a,site=lab active_power_w=1.0 ")
    assert not refused.value.retryable
    assert stored(store, VOLTAGE) == [230.0] * 49
    assert stored(store, Series("turbine-1", "active_power_w")) == [7.0]
    assert stored(store, POWER) == []


def test_lesson_20_several_conflicts_are_each_named_and_a_flag_goes_with_its_value(
    store: InfluxStore, influx_place: InfluxPlace
) -> None:
    since_ns = int(at(0).timestamp()) * 10**9
    write_line(influx_place, f'pdu,device=other active_power_w=5i,voltage_v__q="x" {since_ns}')
    doubtful = Reading(
        *(at(1), "pdu-1", {"active_power_w": 1.0, "voltage_v": 2.0, "frequency_hz": 50.0}),
        {"voltage_v": (Quality.UNCERTAIN, Reason.FROZEN)},
    )
    with pytest.raises(StoreRefusedError) as refused:
        store.append([doubtful])
    assert "active_power_w=1.0" in refused.value.refused[0]
    assert "voltage_v=2.0,voltage_v__q=1i" in refused.value.refused[0]
    assert stored(store, Series("pdu-1", "frequency_hz")) == [50.0]


def test_lesson_20_a_conflict_costs_few_requests_however_many_lines_have_it(
    store: InfluxStore, influx_place: InfluxPlace, influx_proxy: Proxy
) -> None:
    write_line(influx_place, f"pdu,device=other active_power_w=5i {int(at(0).timestamp()) * 10**9}")
    store.append([reading(0, 1.0, "turbine-1")])
    influx_proxy.seen.clear()
    with pytest.raises(StoreRefusedError):
        store.append([reading(second, 1.0) for second in range(2000)])
    assert len(influx_proxy.seen) == 2
    assert len(stored(store, VOLTAGE)) == 2000


@pytest.mark.parametrize("status", [400, 422])
def test_lesson_20_a_refused_line_is_found_among_thousands_and_the_others_are_kept(
    store: InfluxStore, influx_proxy: Proxy, status: int
) -> None:
    message = json.dumps({"code": "invalid", "message": "unable to parse a line"}).encode()

    def refuse(method: str, path: str, body: bytes) -> Answer | None:
        return (status, {}, message) if b"voltage_v=666.0" in body else None

    influx_proxy.instead = refuse
    batch = [reading(second, float(second)) for second in range(3000)]
    batch[1234] = Reading(at(1234), "pdu-1", {"active_power_w": 1234.0, "voltage_v": 666.0})
    with pytest.raises(StoreRefusedError, match="unable to parse") as refused:
        store.append(batch)
    assert set(refused.value.refused) == {1234}
    assert "voltage_v=666.0" in refused.value.refused[1234]
    assert "active_power_w" not in refused.value.refused[1234]
    assert stored(store, POWER) == [float(second) for second in range(3000)]
    assert stored(store, VOLTAGE) == [230.0] * 2999
    assert len(influx_proxy.seen) < 60


def test_lesson_20_a_server_that_refuses_everything_is_not_asked_for_ever(
    store: InfluxStore, influx_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append([])
    monkeypatch.setattr("igoudar.core.store.influx.MOST_REQUESTS", 30)
    influx_proxy.instead = lambda _method, path, _body: (400, {}, b"no") if "write" in path else None
    influx_proxy.seen.clear()
    with pytest.raises(StoreRefusedError) as refused:
        store.append([reading(second, 1.0) for second in range(500)])
    assert set(refused.value.refused) == set(range(500))
    assert len(influx_proxy.seen) < 130


def test_lesson_20_what_is_older_than_the_retention_is_refused_at_once(
    store: InfluxStore, influx_place: InfluxPlace, influx_proxy: Proxy
) -> None:
    policy = f'ALTER RETENTION POLICY "autogen" ON "{influx_place.bucket}" DURATION 1h SHARD DURATION 1h'
    assert "error" not in influxql(influx_place.url, policy)[0]
    store.append([])
    influx_proxy.seen.clear()
    with pytest.raises(StoreRefusedError, match="retention"):
        store.append([reading(second - 10**9, 1.0) for second in range(300)])
    assert len(influx_proxy.seen) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_lesson_20_a_lost_write_raises_and_is_kept_once_when_it_is_sent_again(
    store: InfluxStore, influx_proxy: Proxy, status: int
) -> None:
    influx_proxy.instead = lambda _method, path, _body: (status, {}, b"not now") if "write" in path else None
    with pytest.raises(StoreBusyError, match="not now") as busy:
        store.append([reading(0, 1.0)])
    assert busy.value.retryable
    influx_proxy.instead = lambda _method, _path, _body: None
    for _ in range(2):
        store.append([reading(0, 1.0)])
    assert stored(store, POWER) == [1.0]


def test_lesson_20_a_server_that_goes_away_is_no_refusal(influx_place: InfluxPlace) -> None:
    gone = replace(influx_place, url=f"http://127.0.0.1:{free_port()}")
    with InfluxStore(gone) as store, pytest.raises(StoreBusyError, match="does not answer"):
        store.append([reading(0, 1.0)])


def test_lesson_20_a_device_that_the_site_no_longer_has_costs_only_itself(store: InfluxStore) -> None:
    with pytest.raises(StoreRefusedError, match="no such device") as refused:
        store.append([reading(0, 1.0), reading(1, 2.0, "ghost"), reading(2, 3.0)])
    assert set(refused.value.refused) == {1}
    assert stored(store, POWER) == [1.0, 3.0]
