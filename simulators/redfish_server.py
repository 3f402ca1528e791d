"""Redfish services of simulated devices: resources out of the profile, PATCH with ETags, typed refusals.

Source: DMTF DSP0266 (protocol, error responses), DSP8011 (message ids).
"""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from zlib import crc32

from igoudar.collectors.redfish_json import change, encode, leaves
from igoudar.core.errors import IgoudarError
from igoudar.core.model import Point, RedfishAddress
from igoudar.simulators.devices import Firmware
from igoudar.simulators.faults import Fault, FaultBoard, FaultKind
from igoudar.simulators.http_server import Request, Response

ROOT = "redfish/v1/Chassis"
LIMITS = {"power_limit_w": ("limit_low_w", "limit_high_w")}  # points that say what a set point may be


class RefusedError(IgoudarError):
    """A change that gets an error answer; `message` is an id of the Base registry."""

    def __init__(self, message: str, what: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(what)
        self.message, self.status = message, status


class RedfishPages:
    """Answers `/redfish/v1/Chassis/<tag>/<resource>`.

    Args:
        devices: Firmware by tag.
        faults: Which device misbehaves, and how.
    """

    def __init__(self, devices: Mapping[str, Firmware], faults: FaultBoard) -> None:
        self._devices, self._faults = devices, faults

    async def __call__(self, request: Request) -> Response:
        """One request."""
        tag, _, resource = request.path.strip("/").removeprefix(ROOT).strip("/").partition("/")
        firmware = self._devices.get(tag)
        if firmware is None or not request.path.startswith(f"/{ROOT}/"):
            return _error(
                RefusedError("ResourceMissingAtURI", "there is no such resource", HTTPStatus.NOT_FOUND)
            )
        fault = self._faults.of(firmware.device.name)
        return _spoilt(self._answer(firmware, resource, request), fault)

    def _answer(self, firmware: Firmware, resource: str, request: Request) -> Response:
        try:
            points = _points(firmware, resource)
            if request.method == "PATCH":
                _patch(firmware, points, request)
            elif request.method != "GET":
                what = f"{request.method} is not done here"
                raise RefusedError("OperationNotAllowed", what, HTTPStatus.METHOD_NOT_ALLOWED)
        except RefusedError as refusal:
            return _error(refusal)
        document = composed(points, firmware.values())
        head = {"@odata.id": request.path, "@odata.etag": etag(document), "Id": resource.rpartition("/")[2]}
        return Response(json.dumps({**head, **document}).encode(), headers={"ETag": etag(document)})


def composed(points: Iterable[Point], values: Mapping[str, float | None]) -> dict[str, Any]:
    """The properties of one resource."""
    document: dict[str, Any] = {}
    for point in points:
        value = values.get(point.name)
        shown = None if value is None else encode(point, value)
        _merge(document, change(_address(point).pointer, shown))
    return document


def etag(document: Mapping[str, Any]) -> str:
    """A tag that changes with what can be written; readings move by themselves."""
    settings = {pointer: value for pointer, value in leaves(document) if "Reading" not in pointer}
    return f'"{crc32(json.dumps(settings, sort_keys=True).encode()):08x}"'


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _points(firmware: Firmware, resource: str) -> list[Point]:
    points = [p for p in firmware.profile.points.values() if _address(p).resource == resource]
    if not points:
        raise RefusedError("ResourceMissingAtURI", "there is no such resource", HTTPStatus.NOT_FOUND)
    return points


def _patch(firmware: Firmware, points: list[Point], request: Request) -> None:
    """Check the whole change, then make it."""
    known = {_address(point).pointer: point for point in points}
    asked = request.headers.get("if-match")
    if asked not in (None, "*", etag(composed(points, firmware.values()))):
        raise RefusedError("PreconditionFailed", "it has changed meanwhile", HTTPStatus.PRECONDITION_FAILED)
    writes = [_write(firmware, known, pointer, value) for pointer, value in leaves(request.json())]
    for point, value in writes:
        firmware.write(point.name, value)


def _write(
    firmware: Firmware, known: Mapping[str, Point], pointer: str, value: object
) -> tuple[Point, float]:
    point = known.get(pointer)
    if point is None:
        raise RefusedError("PropertyUnknown", f"there is no property {pointer}")
    if point.writable is None:
        raise RefusedError("PropertyNotWritable", f"{pointer} is read-only")
    number = _number(point, value)
    low, high = _limits(firmware, point)
    if not low <= number <= high:
        raise RefusedError("PropertyValueOutOfRange", f"{pointer} takes {low:g} to {high:g}")
    return point, number


def _number(point: Point, value: object) -> float:
    address = _address(point)
    if address.words:
        if not isinstance(value, str) or value not in address.words:
            raise RefusedError(
                "PropertyValueNotInList", f"{address.pointer} takes {', '.join(address.words)}"
            )
        return float(address.words[value])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError("PropertyValueTypeError", f"{address.pointer} takes a number")
    return value * address.scale


def _limits(firmware: Firmware, point: Point) -> tuple[float, float]:
    """What the product allows, or less where the device says so."""
    rules = firmware.writable[point.name]
    if point.name not in LIMITS:
        return rules.minimum, rules.maximum
    values = firmware.values()
    low, high = (values.get(name) for name in LIMITS[point.name])
    return low or rules.minimum, high or rules.maximum


def _error(refused: RefusedError) -> Response:
    message = {"MessageId": f"Base.1.18.{refused.message}", "Message": refused.what, "Severity": "Warning"}
    error = {"code": "Base.1.18.GeneralError", "message": refused.what, "@Message.ExtendedInfo": [message]}
    return Response.of_json({"error": error}, refused.status)


def _spoilt(answer: Response, fault: Fault | None) -> Response:
    match fault.kind if fault else None:
        case FaultKind.DEAD | FaultKind.HANG_UP:
            return Response(b"", drop=True)
        case FaultKind.BUSY:
            return _error(
                RefusedError("ServiceTemporarilyUnavailable", "busy", HTTPStatus.SERVICE_UNAVAILABLE)
            )
        case FaultKind.GARBAGE:
            return Response(b"\xff\xfe{{{ nothing a parser knows")
        case _:
            return Response(
                answer.body, answer.status, delay_s=fault.delay_s if fault else 0.0, headers=answer.headers
            )


def _address(point: Point) -> RedfishAddress:
    assert isinstance(point.address, RedfishAddress), point.name  # noqa: S101  # a caller's mistake, not input
    return point.address
