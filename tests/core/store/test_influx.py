"""InfluxDB's answers, each with ours; tokens; and setting up."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.core.store.conftest import token_file
from tests.core.store.samples import POWER, at, reading
from tests.peers.influx import Answer, Proxy, influxql

from igoudar.core.errors import ConfigError, StoreBusyError, StoreError
from igoudar.core.store.influx import InfluxStore
from igoudar.core.store.influx_answers import wait_s
from igoudar.core.store.influx_place import InfluxPlace
from igoudar.core.store.influx_reader import InfluxReader
from igoudar.core.store.influx_setup import prepare

Instead = Callable[[str, str, bytes], Answer | None]
SOME = [reading(0, 1.0)]


@pytest.fixture
def store(influx_place: InfluxPlace) -> Iterator[InfluxStore]:
    with InfluxStore(influx_place) as opened:
        yield opened


def on_write(status: int, headers: dict[str, str] | None = None, content: bytes = b"") -> Instead:
    return lambda _method, path, body: (status, headers or {}, content) if "write" in path and body else None


def test_a_body_that_is_too_large_is_sent_in_parts(store: InfluxStore, influx_proxy: Proxy) -> None:
    def small_only(method: str, path: str, body: bytes) -> Answer | None:
        return (413, {}, b"too large") if len(body) > 2000 else None

    influx_proxy.instead = small_only
    store.append([reading(second, float(second)) for second in range(300)])
    assert store.range([POWER], at(0), at(300)).height == 300


def test_a_pause_that_the_server_asks_for_is_kept(store: InfluxStore, influx_proxy: Proxy) -> None:
    influx_proxy.instead = on_write(429, {"Retry-After": "77"}, b"too many")
    with pytest.raises(StoreBusyError, match="too many") as busy:
        store.append(SOME)
    assert busy.value.retry_after_s == 77.0
    influx_proxy.instead = lambda _method, _path, _body: None
    influx_proxy.seen.clear()
    with pytest.raises(StoreBusyError, match="pause") as busy:
        store.append(SOME)
    assert 70.0 < busy.value.retry_after_s <= 77.0
    assert influx_proxy.seen == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("", 0.0),
        ("soon", 0.0),
        ("-4", 0.0),
        ("nan", 0.0),
        ("1e9", 3600.0),
        ("inf", 0.0),
    ],
)
def test_a_retry_after_is_seconds_and_never_more_than_an_hour(header: str, seconds: float) -> None:
    assert wait_s(header) == seconds


def test_a_retry_after_may_be_a_date() -> None:
    assert 50 < wait_s(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)) <= 60


def test_a_server_that_does_not_answer_in_time_is_busy(
    influx_place: InfluxPlace, influx_proxy: Proxy
) -> None:
    go_on = threading.Event()

    def hang(method: str, path: str, body: bytes) -> Answer | None:
        if "write" in path and body:
            go_on.wait(30)
        return None

    influx_proxy.instead = hang
    with (
        InfluxStore(influx_place, timeout_s=0.5) as store,
        pytest.raises(StoreBusyError, match="does not answer"),
    ):
        store.append(SOME)
    go_on.set()


@pytest.mark.parametrize(
    ("status", "words"), [(401, "does not know this token"), (403, "may not write"), (404, "no bucket")]
)
def test_being_kept_out_says_what_to_do_and_loses_nothing(
    store: InfluxStore, influx_place: InfluxPlace, influx_proxy: Proxy, status: int, words: str
) -> None:
    influx_proxy.instead = on_write(status)
    with pytest.raises(StoreBusyError, match=words):
        store.append(SOME)
    influx_proxy.instead = lambda _method, _path, _body: None
    store.append(SOME)
    assert store.last_time() == at(0)


def test_a_new_token_is_taken_without_a_restart(
    store: InfluxStore, influx_place: InfluxPlace, influx_proxy: Proxy, tmp_path: Path
) -> None:
    store.append(SOME)
    influx_proxy.instead = lambda _method, _path, _body: (401, {}, b"")
    with pytest.raises(StoreBusyError):
        store.append(SOME)
    with pytest.raises(StoreBusyError):
        store.last_time()
    token_file(tmp_path, "renewed")
    influx_proxy.instead = lambda _method, _path, _body: None
    influx_proxy.seen.clear()
    store.append(SOME)
    assert store.last_time() == at(0)
    assert {authorization for _, _, authorization in influx_proxy.seen} == {"Token renewed"}


def test_a_token_is_told_to_nobody_else(
    influx_place: InfluxPlace, influx_proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    where = {"Location": "http://127.0.0.1:9/api/v2/write"}
    influx_proxy.instead = on_write(307, where)
    with (
        caplog.at_level(logging.DEBUG),
        InfluxStore(influx_place) as store,
        pytest.raises(StoreBusyError) as busy,
    ):
        store.append(SOME)
    assert "307" in str(busy.value)
    assert "secret" not in str(busy.value) + caplog.text + repr(influx_place)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_token_that_others_can_read_is_refused(influx_place: InfluxPlace, mode: int) -> None:
    influx_place.token_file.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        influx_place.token()


@pytest.mark.parametrize("content", ["", "\n", "two\nlines", "b\x07ll", "é"])
def test_what_is_no_token_is_refused(influx_place: InfluxPlace, content: str) -> None:
    influx_place.token_file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="not an InfluxDB token"):
        influx_place.token()


def test_a_missing_token_is_named(influx_place: InfluxPlace) -> None:
    influx_place.token_file.unlink()
    with pytest.raises(ConfigError, match=str(influx_place.token_file)):
        influx_place.token()


def test_a_missing_database_is_waited_for(influx_place: InfluxPlace) -> None:
    place = replace(influx_place, bucket=f"{influx_place.bucket}_later")
    with InfluxStore(place) as store:
        with pytest.raises(StoreBusyError, match="no database"):
            store.append(SOME)
        influxql(place.url, f"CREATE DATABASE {place.bucket}")
        store.append(SOME)
        assert store.last_time() == at(0)


def test_a_query_that_the_server_refuses_is_an_error(influx_place: InfluxPlace, influx_proxy: Proxy) -> None:
    reader = InfluxReader(influx_place)
    influx_proxy.instead = lambda _method, _path, _body: (
        200,
        {},
        b'{"results":[{"error":"no such thing"}]}\n',
    )
    with pytest.raises(StoreError, match="no such thing"):
        reader.last_time()
    reader.close()


def test_a_device_that_moved_to_another_hall_keeps_its_past(influx_place: InfluxPlace) -> None:
    origins = influx_place.origins
    moved = replace(influx_place, origins={**origins, "pdu-1": replace(origins["pdu-1"], hall="hall z")})
    with InfluxStore(influx_place) as before, InfluxStore(moved) as after:
        before.append([reading(0, 1.0)])
        after.append([reading(5, 2.0)])
        assert after.latest() == {"pdu-1": reading(5, 2.0)}
        assert before.range([POWER], at(0), at(9))["value"].to_list() == [1.0, 2.0]


def test_two_sites_share_a_bucket_without_seeing_each_other(influx_place: InfluxPlace) -> None:
    with InfluxStore(influx_place) as ours, InfluxStore(replace(influx_place, site="other")) as theirs:
        ours.append([reading(0, 1.0)])
        theirs.append([reading(5, 2.0)])
        assert ours.latest() == {"pdu-1": reading(0, 1.0)}
        assert ours.last_time() == at(0)


@pytest.mark.parametrize(("precision", "kept_us"), [("ns", 1_001_001), ("us", 1_001_001), ("ms", 1_001_000)])
def test_times_are_kept_as_finely_as_the_site_asks(
    influx_place: InfluxPlace, precision: str, kept_us: int
) -> None:
    with InfluxStore(replace(influx_place, precision=precision)) as store:
        store.append([reading(1.001001, 1.0)])
        assert store.last_time() == at(0) + timedelta(microseconds=kept_us)


class Version2:
    """What 2.x says to setting up, as its API documents it; `asked` keeps what was sent."""

    def __init__(self, *, bucket: bool, orgs: bool = True, writes: int = 400) -> None:
        self.asked: dict[tuple[str, str], dict[str, object]] = {}
        self._bucket, self._orgs, self._writes = bucket, orgs, writes

    def __call__(self, method: str, path: str, body: bytes) -> Answer | None:
        address = urlsplit(path)
        asked = json.loads(body) if body else dict(parse_qs(address.query))
        if (method, address.path) == ("POST", "/api/v2/write"):
            return self._writes, {}, b""
        self.asked[method, address.path] = asked
        status, found = self._answer(method, address.path)
        return status, {"X-Influxdb-Version": "v2.7.1"}, json.dumps(found).encode()

    def _answer(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        bucket = {"id": "b1", "orgID": "o1", "name": "lab", "retentionRules": []}
        shown: dict[tuple[str, str], tuple[int, dict[str, object]]] = {
            ("GET", "/ping"): (200, {}),
            ("GET", "/api/v2/buckets"): (200, {"buckets": [bucket] if self._bucket else []}),
            ("GET", "/api/v2/orgs"): (200, {"orgs": [{"id": "o1"}] if self._orgs else []}),
            ("POST", "/api/v2/buckets"): (201, bucket),
            ("PATCH", "/api/v2/buckets/b1"): (200, bucket),
            ("GET", "/api/v2/dbrps"): (200, {"content": []}),
            ("POST", "/api/v2/dbrps"): (201, {}),
        }
        return shown.get((method, path), (404, {}))


def place_of_2x(place: InfluxPlace, retention_s: int = 86_400) -> InfluxPlace:
    return replace(place, bucket="lab", org="mine", retention_s=retention_s)


def test_on_2x_a_missing_bucket_is_made_with_its_retention_and_mapping(
    influx_place: InfluxPlace, influx_proxy: Proxy
) -> None:
    played = Version2(bucket=False, writes=404)
    influx_proxy.instead = played
    with pytest.raises(StoreBusyError, match="no bucket"):  # the played server never gets to know it
        prepare(place_of_2x(influx_place))
    rules = [{"type": "expire", "everySeconds": 86_400}]
    assert played.asked["POST", "/api/v2/buckets"] == {"orgID": "o1", "name": "lab", "retentionRules": rules}
    mapping = played.asked["POST", "/api/v2/dbrps"]
    assert (mapping["database"], mapping["bucketID"], mapping["default"]) == ("lab", "b1", True)


def test_on_2x_an_existing_bucket_gets_the_retention_that_the_site_asks_for(
    influx_place: InfluxPlace, influx_proxy: Proxy
) -> None:
    influx_proxy.instead = played = Version2(bucket=True)
    assert prepare(place_of_2x(influx_place)).major == 2
    assert played.asked["PATCH", "/api/v2/buckets/b1"] == {
        "retentionRules": [{"type": "expire", "everySeconds": 86_400}]
    }


def test_on_2x_a_retention_that_nobody_asked_for_is_left_alone(
    influx_place: InfluxPlace, influx_proxy: Proxy
) -> None:
    influx_proxy.instead = played = Version2(bucket=True)
    prepare(place_of_2x(influx_place, retention_s=0))
    assert ("PATCH", "/api/v2/buckets/b1") not in played.asked


def test_on_2x_a_token_that_only_writes_is_enough(influx_place: InfluxPlace, influx_proxy: Proxy) -> None:
    influx_proxy.instead = played = Version2(bucket=False)
    prepare(place_of_2x(influx_place))
    assert ("POST", "/api/v2/buckets") not in played.asked


def test_on_2x_a_token_without_the_right_to_write_is_told_so(
    influx_place: InfluxPlace, influx_proxy: Proxy
) -> None:
    influx_proxy.instead = Version2(bucket=True, writes=403)
    with pytest.raises(StoreBusyError, match="may not write"):
        prepare(place_of_2x(influx_place))


def test_a_server_that_is_not_well_is_busy(influx_place: InfluxPlace, influx_proxy: Proxy) -> None:
    influx_proxy.instead = lambda _method, _path, _body: (503, {}, b"starting")
    with pytest.raises(StoreBusyError, match="starting"):
        prepare(influx_place)
