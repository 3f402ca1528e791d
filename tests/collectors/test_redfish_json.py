"""Pointers find, change and prune; whatever a property holds, decoding never raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.redfish_json import change, decode, encode, found, leaves, pruned, tokens
from igoudar.core.model import Point, Quality, Reason, RedfishAddress

WORDS = {"Disabled": 0, "Automatic": 1, "Manual": 1}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.text(min_size=1, max_size=6).filter(lambda key: key != "*")


def point(pointer: str, name: str = "active_power_w", **rest: object) -> Point:
    return Point(name, RedfishAddress("", pointer, **rest), plausible=(-1e9, 1e9))  # type: ignore[arg-type]


@given(st.lists(KEYS, min_size=1, max_size=4), st.integers())
def test_what_a_change_says_a_pointer_finds(keys: list[str], value: int) -> None:
    pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
    document = change(pointer, value)
    assert tokens(pointer) == tuple(keys)
    assert found(document, pointer) == [value]
    assert list(leaves(document)) == [(pointer, value)]
    assert pruned(document, [pointer]) == document


@given(JSON, st.sampled_from(["", "/a", "/a/0/b", "/*", "/*/x", "/0"]))
def test_no_document_breaks_decoding(document: object, pointer: str) -> None:
    fold = "sum" if "*" in pointer else ""
    value, quality, _ = decode(point(pointer, fold=fold), document)
    assert (value is None) == (quality is Quality.BAD)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"P": {"Reading": 4.5}}, (4.5, Reason.NONE)),
        ({"P": {"Reading": None}}, (None, Reason.SENTINEL)),
        ({"P": {}}, (None, Reason.MISSING)),
        ({"P": 4.5}, (None, Reason.MISSING)),
        ({"P": {"Reading": "4.5"}}, (None, Reason.MALFORMED)),
        ({"P": {"Reading": [4.5]}}, (None, Reason.MALFORMED)),
        ({"P": {"Reading": 1e12}}, (None, Reason.OUT_OF_RANGE)),
        ({"P": {"Reading": 10**400}}, (None, Reason.MALFORMED)),
    ],
)
def test_a_property_is_a_value_or_says_why_not(
    document: object, expected: tuple[float | None, Reason]
) -> None:
    value, _, reason = decode(point("/P/Reading"), document)
    assert (value, reason) == expected


@pytest.mark.parametrize(("fold", "value"), [("sum", 30.0), ("max", 20.0), ("count", 2.0), ("mean", 15.0)])
def test_a_star_folds_over_a_list(fold: str, value: float) -> None:
    document = {"PowerControl": [{"PowerConsumedWatts": 10}, {"PowerConsumedWatts": 20}, {"Other": 1}]}
    assert decode(point("/PowerControl/*/PowerConsumedWatts", fold=fold), document)[0] == value


def test_words_stand_for_numbers_both_ways() -> None:
    mode = point("/ControlMode", "limit_enabled_state", words=WORDS)
    assert [decode(mode, {"ControlMode": word})[0] for word in WORDS] == [0.0, 1.0, 1.0]
    assert decode(mode, {"ControlMode": "Sideways"})[2] is Reason.MALFORMED
    assert [encode(mode, value) for value in (0.0, 1.0)] == ["Disabled", "Automatic"]
    with pytest.raises(ValueError, match="no word"):
        encode(mode, 2.0)


def test_numbers_are_written_in_the_propertys_unit() -> None:
    assert encode(point("/E", "energy_wh", scale=1000.0), 1500.0) == 1.5
    assert encode(point("/W"), 700.0) == 700
