"""What a grid asks for by DSX Flex, and everything that only looks like it."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import KeySet, OctKey
from tests.control.dsx.conftest import Room
from tests.control.dsx.grid import DOWN_TO_28_MW, NOW, SITE, Grid

from igoudar.control.demand_response.request import EventKind
from igoudar.control.dsx.message import parse, target_topic
from igoudar.control.dsx.outgoing import Outgoing
from igoudar.control.dsx.refusal import RefusedError
from igoudar.control.dsx.seen import Seen
from igoudar.control.dsx.target import target
from igoudar.control.lease import NotWriterError

TOPIC = target_topic(SITE)


def told(outgoing: Outgoing, key: Grid) -> dict[str, Any]:
    """The payload of what the site published, its signature checked."""
    sealed = jws.deserialize_compact(
        json.loads(outgoing.body)["data"], KeySet([key.key]), algorithms=["ES256"]
    )
    found: dict[str, Any] = json.loads(sealed.payload)
    return found


def test_a_signed_target_becomes_an_event_and_is_confirmed(room: Room, grid: Grid, site_key: Grid) -> None:
    raw = grid.event({**DOWN_TO_28_MW, "interval": {"end_time": (NOW + timedelta(hours=2)).isoformat()}})
    (answer,) = room.flex.take(TOPIC, raw)
    (asked,) = room.desk.asked
    assert (asked.kind, asked.limit_w) == (EventKind.LOAD_TARGET, 28e6)
    assert asked.ends_at == NOW + timedelta(hours=2)
    document = json.loads(answer.body)
    assert document["correlationid"] == json.loads(raw)["correlationid"]
    assert (answer.topic, answer.qos) == (f"grid/v1/isv/{SITE}/powerstate/status", 1)
    payload = told(answer, site_key)
    assert payload["state"] == "accepted"
    assert payload["load"] == {"value": 28e6, "unit": "watt"}


def test_no_load_means_back_to_the_default(room: Room, grid: Grid, site_key: Grid) -> None:
    room.flex.take(TOPIC, grid.event())
    (answer,) = room.flex.take(TOPIC, grid.event({"load": None}))
    assert room.desk.withdrawn == 1
    assert told(answer, site_key)["state"] == "default"


def test_a_target_is_taken_once_also_after_a_restart(
    room: Room, grid: Grid, build: Callable[..., Room]
) -> None:
    raw = grid.event()
    room.flex.take(TOPIC, raw)
    room.flex.take(TOPIC, raw)
    after = build()
    after.flex.take(TOPIC, raw)
    assert (len(room.desk.asked), len(after.desk.asked)) == (1, 0)
    assert room.notes[1] == after.notes[0] == "refused: repeated"


@pytest.mark.parametrize("payload", [DOWN_TO_28_MW, {"load": None}])
def test_a_target_that_only_the_writer_may_take_is_not_seen_and_may_come_again(
    room: Room, grid: Grid, build: Callable[..., Room], payload: dict[str, Any]
) -> None:
    raw, room.desk.writer = grid.event(payload), False
    with pytest.raises(NotWriterError):
        room.flex.take(TOPIC, raw)
    assert (room.notes, room.desk.asked, room.desk.withdrawn) == ([], [], 0)
    after = build()
    after.flex.take(TOPIC, raw)
    assert len(after.desk.asked) + after.desk.withdrawn == 1
    after.flex.take(TOPIC, raw)  # and is taken once
    assert after.notes[1:] == ["refused: repeated"]


@pytest.mark.parametrize(("seconds", "reason"), [(-301.0, "too_old"), (61.0, "from_the_future")])
def test_a_target_of_another_time_is_refused(room: Room, grid: Grid, seconds: float, reason: str) -> None:
    room.flex.take(TOPIC, grid.event(time=(NOW + timedelta(seconds=seconds)).isoformat()))
    assert not room.desk.asked
    assert room.notes == [f"refused: {reason}"]


def test_a_memory_that_can_not_be_read_takes_nothing_that_may_have_been_taken(
    room: Room, grid: Grid, build: Callable[..., Room]
) -> None:
    room.flex.seen._path.write_text("{")
    after = build()
    after.flex.take(TOPIC, grid.event())
    assert after.notes == ["refused: repeated"]


def test_an_old_signature_in_a_new_envelope_is_refused_also_after_a_restart(
    room: Room, grid: Grid, build: Callable[..., Room]
) -> None:
    lifted = grid.sealed({"load": None})
    room.flex.take(TOPIC, grid.event(data=lifted))
    room.flex.take(TOPIC, grid.event())
    after = build()
    after.flex.take(TOPIC, grid.event(data=lifted))  # another id, the present time
    assert after.notes == ["refused: repeated"]
    assert after.desk.withdrawn == 0


def test_a_signature_that_covers_its_envelope_serves_no_other(room: Room, grid: Grid) -> None:
    data = grid.sealed(DOWN_TO_28_MW, jti="id-1", iat=int(NOW.timestamp()))
    assert room.flex.take(TOPIC, grid.event(id="id-2", data=data)) == []
    later = (NOW + timedelta(seconds=5)).isoformat()
    assert room.flex.take(TOPIC, grid.event(id="id-1", time=later, data=data)) == []
    assert not room.desk.asked
    room.flex.take(TOPIC, grid.event(id="id-1", data=data))
    assert len(room.desk.asked) == 1
    assert room.notes == ["refused: bad_signature", "refused: bad_signature", "28000000 W"]


def test_whoever_may_publish_can_not_fill_the_audit(room: Room, grid: Grid) -> None:
    for _ in range(200):
        room.flex.take(TOPIC, b"{}")
    assert len(room.notes) < 60


def _unsigned(payload: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, payload)
    head, body = (base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts)
    return f"{head}.{body}."


def test_nothing_unsigned_or_signed_by_others_is_taken(room: Room, grid: Grid) -> None:
    public = json.dumps(KeySet([grid.key]).as_dict(private=False)).encode()
    confused = jws.serialize_compact(
        {"alg": "HS256", "kid": grid.kid},
        json.dumps(DOWN_TO_28_MW).encode(),
        OctKey.import_key(public),
        algorithms=["HS256"],
    )
    stranger = Grid.new().sealed(DOWN_TO_28_MW)
    good = grid.sealed(DOWN_TO_28_MW)
    forged = good[:-6] + ("AAAAAA" if not good.endswith("AAAAAA") else "BBBBBB")
    for data in (_unsigned(DOWN_TO_28_MW), confused, stranger, forged, DOWN_TO_28_MW, None, "a.b", ""):
        assert room.flex.take(TOPIC, grid.event(data=data)) == []  # a forger learns nothing
    assert not room.desk.asked
    assert set(room.notes) == {"refused: bad_signature", "refused: not_signed"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source": "//grid/v1/isv/other"}, "foreign_source"),
        ({"specversion": "0.3"}, "malformed"),
        ({"type": "grid.loadtarget.get.v1"}, "malformed"),
        ({"traceparent": "00-0-0-01"}, "malformed"),
        ({"traceparent": None}, "malformed"),
        ({"correlationid": "11111111-1111-1111-8111-111111111111"}, "malformed"),
        ({"time": "2026-03-01T12:00:00"}, "malformed"),
        ({"id": "\x1b[31m"}, "malformed"),
    ],
)
def test_what_breaks_the_form_is_refused_by_name(
    room: Room, grid: Grid, changes: dict[str, Any], reason: str
) -> None:
    assert room.flex.take(TOPIC, grid.event(**changes)) == []
    assert room.notes == [f"refused: {reason}"]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"load": 28},
        {"load": {"value": -1, "unit": "watt"}},
        {"load": {"value": 1, "unit": "horsepower"}},
        {"load": {"value": True, "unit": "watt"}},
        {"load": {"value": 1e300, "unit": "megawatt"}},
        {"load": None, "interval": []},
        {**DOWN_TO_28_MW, "interval": {"start_time": NOW.isoformat(), "end_time": NOW.isoformat()}},
        {**DOWN_TO_28_MW, "feed_tags": "all"},
    ],
)
def test_a_signed_payload_that_means_nothing_is_rejected_aloud(
    room: Room, grid: Grid, site_key: Grid, payload: dict[str, Any]
) -> None:
    (answer,) = room.flex.take(TOPIC, grid.event(payload))
    assert not room.desk.asked
    assert told(answer, site_key)["state"] == "rejected"


def test_a_target_for_other_feeds_is_not_ours(build: Callable[..., Room], grid: Grid) -> None:
    room = build(feeds=("dakhla-south",))
    room.flex.take(TOPIC, grid.event({**DOWN_TO_28_MW, "feed_tags": ["casablanca"]}))
    room.flex.take(TOPIC, grid.event({**DOWN_TO_28_MW, "feed_tags": ["dakhla-south"]}))
    assert len(room.desk.asked) == 1
    assert room.notes[0] == "refused: not_ours"


def test_a_breach_is_told_when_it_begins_gets_worse_and_ends(room: Room, grid: Grid, site_key: Grid) -> None:
    room.flex.take(TOPIC, grid.event())
    found: list[tuple[int, str, str]] = []
    for second in range(120):
        room.desk.facility_w = 40e6 if second < 100 else 27e6
        for outgoing in room.flex.watch():
            payload = told(outgoing, site_key)
            found.append((second, payload["state"], payload["breach_id"]))
            assert outgoing.qos == 2
        room.later(1.0)
    assert [(second, state) for second, state, _ in found] == [
        (30, "active"),
        (90, "escalated"),
        (100, "resolved"),
    ]
    assert len({breach_id for _, _, breach_id in found}) == 1


def test_a_load_that_is_not_known_is_neither_a_breach_nor_its_end(room: Room, grid: Grid) -> None:
    room.flex.take(TOPIC, grid.event())
    room.desk.facility_w = None
    for _ in range(100):
        assert room.flex.watch() == []
        room.later(1.0)


@given(raw=st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(raw: bytes) -> None:
    with pytest.raises(RefusedError):
        parse(raw, SITE)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(["load", "interval", "feed_tags", "strategy", "value", "unit", "start_time"])


@given(payload=st.dictionaries(WORDS, JSON | st.dictionaries(WORDS, JSON, max_size=4), max_size=6))
def test_any_payload_is_a_target_or_refused_by_name(payload: dict[str, Any]) -> None:
    try:
        found = target(payload)
    except RefusedError:
        return
    assert found.limit_w is None or found.limit_w >= 0


def test_ids_are_forgotten_only_when_their_age_forbids_them(tmp_path: Any) -> None:
    seen = Seen(tmp_path / "seen.json", timedelta(seconds=300), NOW)
    for minute in range(30):
        at = NOW + timedelta(minutes=minute)
        seen.take(f"id-{minute}", at, at)
    assert len(json.loads((tmp_path / "seen.json").read_bytes())["ids"]) <= 7
