"""What an OPC UA server says, as values, qualities and faults of ours."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from igoudar.collectors import codec
from igoudar.collectors.faults import LinkFault
from igoudar.core.errors import IgoudarError
from igoudar.core.model import Point, Quality, Reason

if TYPE_CHECKING:
    from asyncua import ua


class Sample(NamedTuple):
    """What the server last said of a point."""

    value: float | None
    quality: Quality
    reason: Reason
    source_at: datetime | None = None


# The severity bits of a status code (OPC 10000-4, 7.39), and the codes that say a node is not there.
BAD, UNCERTAIN = 0x8000_0000, 0x4000_0000
UNKNOWN_NODE = frozenset({0x8034_0000, 0x8033_0000})

NOT_THERE = Sample(None, Quality.BAD, Reason.MISSING)


def sample(point: Point, answer: "ua.DataValue | None") -> Sample:
    """A data value with its status: bad has no value, uncertain keeps it."""
    if answer is None:
        return NOT_THERE
    code = answer.StatusCode.value if answer.StatusCode is not None else 0
    raw = answer.Value.Value if answer.Value is not None else None
    at = utc(answer.SourceTimestamp)
    if code & BAD or not isinstance(raw, int | float):
        reason = Reason.MISSING if code in UNKNOWN_NODE else Reason.STATUS_CODE
        return Sample(None, Quality.BAD, reason, at)
    value, quality, reason = codec.from_raw(point, raw)
    if code & UNCERTAIN and quality is Quality.GOOD:
        quality, reason = Quality.UNCERTAIN, Reason.STATUS_CODE
    return Sample(value, quality, reason, at)


def newest(samples: Iterable[Sample]) -> datetime | None:
    """The latest source time of all samples."""
    return max((s.source_at for s in samples if s.source_at is not None), default=None)


def variant(value: float, kind: "ua.VariantType") -> "ua.Variant":
    """`value` in the node's own type: servers refuse a Double for an Int32."""
    from asyncua import ua

    if kind in (ua.VariantType.Float, ua.VariantType.Double):
        return ua.Variant(value, kind)
    return ua.Variant(bool(value) if kind is ua.VariantType.Boolean else round(value), kind)


@contextmanager
def classified(where: str) -> Iterator[None]:
    """Turn whatever asyncua and the socket raise into LinkFault: no library ends the collector."""
    from asyncua.ua.uaerrors import UaStatusCodeError

    try:
        yield
    except LinkFault as fault:
        if fault.where:
            raise
        raise type(fault)(fault.reason, fault.what, where=where, fix=fault.fix) from fault
    except IgoudarError as error:
        raise LinkFault(Reason.NO_CONNECTION, str(error), where=where) from error
    except TimeoutError as error:
        raise LinkFault(Reason.TIMEOUT, "no answer in time", where=where) from error
    except OSError as error:
        raise LinkFault(Reason.NO_CONNECTION, f"can't connect ({error})", where=where) from error
    except UaStatusCodeError as error:
        reason, what, fix = _meaning(error.code)
        raise LinkFault(reason, f"{what} ({error})", where=where, fix=fix) from error
    except Exception as error:
        raise LinkFault(Reason.MALFORMED, f"not usable ({error!r})", where=where) from error


def _meaning(code: int) -> tuple[Reason, str, str]:
    """What a refusal means, and what to do about it."""
    from asyncua.ua.status_codes import StatusCodes as Codes

    if code in (Codes.BadTooManySessions, Codes.BadMaxConnectionsReached):
        return Reason.NO_CONNECTION, "the server has no session left", "close other clients' sessions"
    if code == Codes.BadUserAccessDenied:
        return Reason.STATUS_CODE, "the server does not allow this user", "check the user's rights there"
    if code in (Codes.BadIdentityTokenRejected, Codes.BadIdentityTokenInvalid):
        return Reason.NO_CONNECTION, "the server refuses the user", "check user_file and password_file"
    if code in (Codes.BadSecurityChecksFailed, Codes.BadCertificateUntrusted, Codes.BadCertificateInvalid):
        fix = "let the server trust our certificate: pki/own/certificate.der in the state folder"
        return Reason.NO_CONNECTION, "the server refuses our certificate", fix
    if code in (Codes.BadTimeout, Codes.BadRequestTimeout):
        return Reason.TIMEOUT, "the server took too long", ""
    return Reason.STATUS_CODE, "the server refuses", ""


def utc(at: datetime | None) -> datetime | None:
    """Asyncua's times are UTC without saying so."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
