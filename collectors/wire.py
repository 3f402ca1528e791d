"""The collector's socket protocol: frames of msgpack, and readings within them.

A frame is a 4-byte big-endian length and a map. A request has `id` and `op`, its answer that `id` and `ok`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import msgpack

from igoudar.collectors import results
from igoudar.collectors.snapshot import Snapshot, Totals
from igoudar.core.errors import LinkError
from igoudar.core.model import Gap, Quality, Reading, Reason, Setpoint

LARGEST = 256 << 20  # bytes of a frame: far beyond any snapshot, far below memory
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Frame = dict[str, Any]


def pack(frame: Mapping[str, Any]) -> bytes:
    """A frame's bytes."""
    body: bytes = msgpack.packb(frame)
    return len(body).to_bytes(4) + body


async def receive(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame, None at the end of the stream.

    Raises:
        LinkError: what came is no frame.
    """
    try:
        length = int.from_bytes(await reader.readexactly(4))
        if length > LARGEST:
            raise _no_frame(f"a frame of {length} bytes")
        frame = msgpack.unpackb(await reader.readexactly(length), strict_map_key=False)
    except (EOFError, ConnectionError):
        return None
    except (ValueError, msgpack.UnpackException) as error:
        raise _no_frame(f"not msgpack ({error})") from error
    if not isinstance(frame, dict):
        raise _no_frame("a frame that is no map")
    return frame


def _no_frame(what: str) -> LinkError:
    return LinkError(what, where="collector socket", fix="use the same version on both sides")


def pack_time(at: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return (at - EPOCH) // MICROSECOND


def unpack_time(at: int) -> datetime:
    """The inverse of `pack_time`."""
    return EPOCH + at * MICROSECOND


def pack_reading(reading: Reading) -> list[Any]:
    """A reading as a plain list."""
    flags = {name: (int(quality), int(reason)) for name, (quality, reason) in reading.flags.items()}
    source = None if reading.source_at is None else pack_time(reading.source_at)
    gap = None if reading.gap is None else (int(reading.gap.reason), reading.gap.detail)
    return [pack_time(reading.at), reading.device, dict(reading.values), flags, source, gap]


def unpack_reading(packed: list[Any]) -> Reading:
    """The inverse of `pack_reading`."""
    at, device, values, flags, source, gap = packed
    return Reading(
        unpack_time(at),
        device,
        values,
        {name: (Quality(quality), Reason(reason)) for name, (quality, reason) in flags.items()},
        None if source is None else unpack_time(source),
        None if gap is None else Gap(Reason(gap[0]), gap[1]),
    )


def pack_snapshot(snapshot: Snapshot) -> Frame:
    """A snapshot as a plain map."""
    return {
        "at": pack_time(snapshot.at),
        "readings": [pack_reading(reading) for reading in snapshot.readings.values()],
        "last_good": {device: pack_time(at) for device, at in snapshot.last_good.items()},
        "totals": asdict(snapshot.totals),
    }


def unpack_snapshot(packed: Frame) -> Snapshot:
    """The inverse of `pack_snapshot`."""
    readings = (unpack_reading(reading) for reading in packed["readings"])
    return Snapshot(
        unpack_time(packed["at"]),
        {reading.device: reading for reading in readings},
        {device: unpack_time(at) for device, at in packed["last_good"].items()},
        Totals(**packed["totals"]),
    )


def pack_setpoint(setpoint: Setpoint) -> Frame:
    """A setpoint as a plain map."""
    return asdict(setpoint) | {"expires_at": pack_time(setpoint.expires_at)}


def unpack_setpoint(packed: Frame) -> Setpoint:
    """The inverse of `pack_setpoint`."""
    return Setpoint(**(packed | {"expires_at": unpack_time(packed["expires_at"])}))


def pack_result(result: results.Result) -> Frame:
    """A write's result as a plain map with its kind."""
    return {"kind": type(result).__name__, **asdict(result)}


def unpack_result(packed: Frame) -> results.Result:
    """The inverse of `pack_result`."""
    kinds = (results.Success, results.Partial, results.OutOfBounds, results.Rejected, results.Error)
    fields = {key: value for key, value in packed.items() if key != "kind"}
    return {kind.__name__: kind for kind in kinds}[packed["kind"]](**fields)
