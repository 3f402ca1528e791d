"""What is asked is read strictly; anything else has a name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.caps_agent.asking import Asked, BadRequestError, parse_asked

GOOD = {"command_id": "c1", "limit_w": 700, "life_s": 600, "epoch": 3}


def test_a_whole_request() -> None:
    assert parse_asked("all", json.dumps(GOOD).encode()) == Asked("all", "c1", 700.0, 600.0, 3)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"limit": 700}, "unknown_key"),
        ({"limit_w": "700 W"}, "not_a_number"),
        ({"limit_w": True}, "not_a_number"),
        ({"limit_w": -1}, "not_a_number"),
        ({"limit_w": 10**400}, "not_a_number"),
        ({"life_s": None}, "not_a_number"),
        ({"life_s": float("nan")}, "not_a_number"),
        ({"command_id": ""}, "bad_command_id"),
        ({"command_id": "a\x1b[2J"}, "bad_command_id"),
        ({"command_id": 7}, "bad_command_id"),
        ({"epoch": -1}, "bad_epoch"),
        ({"epoch": True}, "bad_epoch"),
    ],
)
def test_a_wrong_request_has_a_code(change: dict[str, object], code: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_asked("all", json.dumps(GOOD | change).encode())
    assert caught.value.code == code


@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: json.dumps(text).encode()))
def test_no_body_breaks_it(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse_asked("all", body)
