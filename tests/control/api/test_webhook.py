"""A grid operator without MQTT: signed calls, once, within five minutes."""

import json
import time
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.api.signature import SIGNATURE, TIMESTAMP, Notary, SignatureError, signed
from igoudar.control.api.webhook import PATH, open_hook
from igoudar.core.clock import wall_clock
from igoudar.core.errors import ConfigError
from igoudar.core.model_dsx import Webhook

SECRET = b"0123456789abcdef0123456789abcdef"
NOW_S = 1_790_000_000


@pytest.fixture
def webhook(tmp_path: Path) -> Webhook:
    file = tmp_path / "webhook.secret"
    file.write_bytes(SECRET + b"\n")
    return Webhook(str(file), who="grid")


def headers(body: bytes, at_s: int = NOW_S, secret: bytes = SECRET) -> dict[str, str]:
    return {TIMESTAMP: str(at_s), SIGNATURE: signed(secret, at_s, body)}


@pytest.fixture
def notary() -> Notary:
    return Notary(SECRET, 300.0, NOW_S - 10_000)


def test_a_signed_call_is_taken_once(notary: Notary) -> None:
    notary.check(headers(b"{}"), b"{}", NOW_S)
    with pytest.raises(SignatureError, match="taken before"):
        notary.check(headers(b"{}"), b"{}", NOW_S + 299)


@pytest.mark.parametrize("ago_s", [-301, 301])
def test_a_call_of_another_time_is_refused(notary: Notary, ago_s: int) -> None:
    with pytest.raises(SignatureError, match="too old, or ahead"):
        notary.check(headers(b"{}", NOW_S - ago_s), b"{}", NOW_S)


def test_what_was_signed_before_the_start_is_refused() -> None:
    with pytest.raises(SignatureError, match="too old"):
        Notary(SECRET, 300.0, NOW_S).check(headers(b"{}", NOW_S - 1), b"{}", NOW_S)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {TIMESTAMP: str(NOW_S)},
        {TIMESTAMP: str(NOW_S), SIGNATURE: "v1=" + "0" * 64},
        {TIMESTAMP: "²", SIGNATURE: "v1=" + "0" * 64},
        headers(b"{} "),
        headers(b"{}", secret=b"another secret of thirty-two byt"),
    ],
)
def test_a_call_without_the_right_signature_is_refused(notary: Notary, given: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        notary.check(given, b"{}", NOW_S)


@given(timestamp=st.text(max_size=30), signature=st.text(max_size=80), body=st.binary(max_size=40))
def test_nobody_guesses(timestamp: str, signature: str, body: bytes) -> None:
    with pytest.raises(SignatureError):
        Notary(SECRET, 300.0, 0.0).check({TIMESTAMP: timestamp, SIGNATURE: signature}, body, NOW_S)


def test_a_short_secret_is_none(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("short")
    with pytest.raises(ConfigError, match="at least 32"):
        open_hook(Webhook(str(file)), wall_clock())
    with pytest.raises(ConfigError, match="can't be read"):
        open_hook(Webhook(str(tmp_path / "nowhere")), wall_clock())
    assert open_hook(Webhook(), wall_clock()) is None


async def test_a_signed_call_opens_an_event_once_and_is_audited(http: httpx.AsyncClient, url: str) -> None:
    body = json.dumps({"kind": "cap", "limit": "200 kW", "reason": "evening peak"}).encode()
    at_s = int(time.time()) + 2  # a call of the very second of the start might have been taken before it
    said = {**headers(body, at_s), "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url) as stranger:
        first = await stranger.post(PATH, content=body, headers=said)
        again = await stranger.post(PATH, content=body, headers=said)
        forged = await stranger.post(PATH, content=body.replace(b"200", b"900"), headers=said)
    assert (first.status_code, again.status_code, forged.status_code) == (200, 401, 401)
    assert (first.json()["limit_w"], first.json()["who"]) == (200e3, "grid")
    events = (await http.get("/v1/events")).json()
    assert [event["limit_w"] for event in events["events"]] == [200e3]
    audited = [(line["who"], line["after"]) for line in (await http.get("/v1/actions")).json()]
    assert ("grid", "200000 W") in audited
    assert ("webhook", "refused: the call was taken before") in audited
    assert ("webhook", "refused: the signature does not hold") in audited


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"[]",
        b'{"kind": "cap", "limit": 200, "reason": "no unit"}',
        b'{"kind": "cap", "limit": "-1 MW", "reason": "negative"}',
        b'{"kind": "shed", "share": 2, "reason": "more than all"}',
        b'{"kind": "cap", "limit": "1 MW", "reason": "x", "surprise": 1}',
    ],
)
async def test_a_signed_call_that_means_nothing_is_refused(url: str, asked: bytes) -> None:
    said = {**headers(asked, int(time.time()) + 2), "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url) as stranger:
        answer = await stranger.post(PATH, content=asked, headers=said)
    assert answer.status_code in (409, 413, 422)
    assert answer.json()["what"]
