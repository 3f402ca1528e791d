"""What servers may say, and what becomes of it; no server needed."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from asyncua import ua
from asyncua.ua.uaerrors import BadTooManyOperations, UaStatusCodeError
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.opcua_line import Chunks
from igoudar.collectors.opcua_subscription import SubscriptionFault
from igoudar.collectors.opcua_values import classified, sample
from igoudar.core.errors import ConfigError
from igoudar.core.model import Quality, Reason

from .opcua_rig import TURBINE

POINT = TURBINE.points["active_power_w"]
CONTENTS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers())
)


@given(CONTENTS, st.integers(0, 0xFFFF_FFFF), st.none() | st.datetimes())
def test_whatever_a_server_says_becomes_a_value_or_a_quality(
    content: object, code: int, at: datetime | None
) -> None:
    variant = ua.Variant(content, ua.VariantType.Variant) if content is not None else None
    got = sample(POINT, ua.DataValue(variant, ua.StatusCode(ua.UInt32(code)), SourceTimestamp=at))
    assert (got.value is None) == (got.quality is Quality.BAD)
    assert (got.reason is Reason.NONE) == (got.quality is Quality.GOOD)
    assert got.value is None or got.value == got.value
    assert got.source_at is None or got.source_at.tzinfo is UTC


def test_a_node_that_is_not_there_is_missing_and_a_bad_sensor_is_bad() -> None:
    def told(code: int) -> Reason:
        return sample(POINT, ua.DataValue(ua.Variant(1.0), ua.StatusCode(ua.UInt32(code)))).reason

    assert told(ua.StatusCodes.BadNodeIdUnknown) is Reason.MISSING
    assert told(ua.StatusCodes.BadSensorFailure) is Reason.STATUS_CODE
    assert sample(POINT, None).reason is Reason.MISSING


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (UaStatusCodeError(ua.StatusCodes.BadTooManySessions), Reason.NO_CONNECTION),
        (UaStatusCodeError(ua.StatusCodes.BadSecurityChecksFailed), Reason.NO_CONNECTION),
        (UaStatusCodeError(ua.StatusCodes.BadIdentityTokenRejected), Reason.NO_CONNECTION),
        (UaStatusCodeError(ua.StatusCodes.BadUserAccessDenied), Reason.STATUS_CODE),
        (UaStatusCodeError(ua.StatusCodes.BadTimeout), Reason.TIMEOUT),
        (UaStatusCodeError(ua.StatusCodes.BadInternalError), Reason.STATUS_CODE),
        (ConfigError("no key"), Reason.NO_CONNECTION),
        (ZeroDivisionError(), Reason.MALFORMED),
    ],
)
def test_every_exception_has_a_reason_and_names_the_server(raised: Exception, reason: Reason) -> None:
    with pytest.raises(LinkFault) as caught, classified("opc.tcp://x:1"):
        raise raised
    assert caught.value.reason is reason
    assert caught.value.where == "opc.tcp://x:1"


def test_a_fault_keeps_its_kind() -> None:
    with pytest.raises(SubscriptionFault) as caught, classified("opc.tcp://x:1"):
        raise SubscriptionFault(Reason.STALE, "silent")
    assert caught.value.where == "opc.tcp://x:1"


@given(st.integers(0, 200), st.integers(0, 60), st.integers(1, 60))
def test_lesson_15_chunks_ask_for_everything_once_whatever_the_server_takes(
    count: int, told: int, takes: int
) -> None:
    sizes: list[int] = []

    async def server(part: Sequence[int]) -> list[int]:
        if len(part) > takes:
            raise BadTooManyOperations
        sizes.append(len(part))
        return [2 * one for one in part]

    chunks = Chunks()
    chunks.limit(told)
    assert asyncio.run(chunks.run(range(count), server)) == [2 * one for one in range(count)]
    assert all(size <= min(told or takes, takes) for size in sizes)


@pytest.mark.parametrize("answers", [[], [1], [1, 2, 3]])
def test_an_answer_for_more_or_fewer_is_not_matched_by_guess(answers: list[int]) -> None:
    async def server(_: Sequence[int]) -> list[int]:
        return answers

    with pytest.raises(ValueError, match="answers to 2 questions"):
        asyncio.run(Chunks().run((1, 2), server))
