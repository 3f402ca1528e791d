"""What an OPC UA server says, as values, qualities and faults of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from igoudar.collectors import codec
from igoudar.collectors.faults import LinkFault
from igoudar.core.model import Point, Quality, Reason

if TYPE_CHECKING:
    from asyncua import ua


class Sample(NamedTuple):
    """What the server last said of a point."""

    value: float | None
    quality: Quality
    reason: Reason
    source_at: datetime | None = None


NOT_THERE = Sample(None, Quality.BAD, Reason.MISSING)


def sample(point: Point, answer: "ua.DataValue | None") -> Sample:
    """A data value with its status: bad has no value, uncertain keeps it."""
    if answer is None:
        return NOT_THERE
    status, raw = answer.StatusCode, answer.Value.Value if answer.Value else None
    at = _utc(answer.SourceTimestamp)
    if (status is not None and status.is_bad()) or not isinstance(raw, int | float):
        return Sample(None, Quality.BAD, Reason.STATUS_CODE, at)
    value, quality, reason = codec.from_raw(point, raw)
    if quality is Quality.GOOD and status is not None and status.is_uncertain():
        quality, reason = Quality.UNCERTAIN, Reason.STATUS_CODE
    return Sample(value, quality, reason, at)


def variant(value: float, kind: "ua.VariantType") -> "ua.Variant":
    """`value` in the node's own type: servers refuse a Double for an Int32."""
    from asyncua import ua

    if kind in (ua.VariantType.Float, ua.VariantType.Double):
        return ua.Variant(value, kind)
    return ua.Variant(bool(value) if kind is ua.VariantType.Boolean else round(value), kind)


@contextmanager
def classified(where: str) -> Iterator[None]:
    """Turn what asyncua and the socket raise into LinkFault."""
    from asyncua.ua.uaerrors import UaError, UaStatusCodeError

    try:
        yield
    except TimeoutError as error:
        raise LinkFault(Reason.TIMEOUT, "no answer in time", where=where) from error
    except OSError as error:
        raise LinkFault(Reason.NO_CONNECTION, f"can't connect ({error})", where=where) from error
    except UaStatusCodeError as error:
        raise LinkFault(Reason.STATUS_CODE, f"the server refuses ({error})", where=where) from error
    except (UaError, ValueError, KeyError, EOFError) as error:
        raise LinkFault(Reason.MALFORMED, f"not usable ({error!r})", where=where) from error


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
