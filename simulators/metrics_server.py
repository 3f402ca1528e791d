"""DCGM exporter text for every rack: one line per GPU, so that a collector really has to fold.

Source: dcgm-exporter's field names and labels (NVIDIA/dcgm-exporter, default-counters.csv).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from zlib import crc32

from igoudar.core.model import MetricAddress, Point
from igoudar.core.units import unit_of
from igoudar.simulators.devices import Firmware
from igoudar.simulators.faults import Fault, FaultBoard, FaultKind
from igoudar.simulators.http_server import Request, Response

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SPREAD = 0.03  # GPUs of one rack differ by up to this share
_SPREAD_K = 3.0  # or by this many degrees or points of per cent
_MODEL = "NVIDIA GB200"
_DRIVER = "570.86.15"
_HELP: Mapping[str, tuple[str, str]] = {
    "DCGM_FI_DEV_POWER_USAGE": ("gauge", "Power draw (in W)."),
    "DCGM_FI_DEV_GPU_UTIL": ("gauge", "GPU utilization (in %)."),
    "DCGM_FI_DEV_GPU_TEMP": ("gauge", "GPU temperature (in C)."),
    "DCGM_FI_DEV_POWER_MGMT_LIMIT": ("gauge", "Power management limit (in W)."),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": ("counter", "Total energy consumption since boot (in mJ)."),
}


class MetricsPages:
    """Answers `/<tag>/metrics`.

    Args:
        devices: Firmware by tag.
        gpus: GPUs by tag.
        faults: Which device misbehaves, and how.
    """

    def __init__(self, devices: Mapping[str, Firmware], gpus: Mapping[str, int], faults: FaultBoard) -> None:
        self._devices, self._gpus, self._faults = devices, gpus, faults

    async def __call__(self, request: Request) -> Response:
        """One scrape."""
        tag, _, page = request.path.strip("/").rpartition("/")
        firmware = self._devices.get(tag)
        if firmware is None or page != "metrics" or request.method != "GET":
            return Response(b"not found\n", HTTPStatus.NOT_FOUND, "text/plain")
        fault = self._faults.of(firmware.device.name)
        host = "another-host" if fault and fault.kind is FaultKind.WRONG_UNIT else tag
        text = exposition(firmware.profile.points.values(), firmware.values(), self._gpus[tag], host)
        return _page(text, fault)


def _page(text: bytes, fault: Fault | None) -> Response:
    match fault.kind if fault else None:
        case FaultKind.DEAD | FaultKind.HANG_UP:
            return Response(b"", drop=True)
        case FaultKind.BUSY:
            return Response(b"busy\n", HTTPStatus.SERVICE_UNAVAILABLE, "text/plain")
        case FaultKind.GARBAGE:
            return Response(b"\xff\xfe{{{ nothing a parser knows", content_type=CONTENT_TYPE)
        case _:
            return Response(text, content_type=CONTENT_TYPE, delay_s=fault.delay_s if fault else 0.0)


def exposition(points: Iterable[Point], values: Mapping[str, float | None], gpus: int, host: str) -> bytes:
    """Prometheus text of one rack; folding each metric as its point says gives the point's value back."""
    metrics: list[str] = []
    numbers: list[float] = []
    for point in points:
        address = point.address
        assert isinstance(address, MetricAddress), point.name  # noqa: S101  # a caller's mistake, not input
        value = values.get(point.name)
        if value is None or address.fold == "count":  # the lines themselves are the count
            continue
        metrics.append(address.metric)
        numbers += per_gpu(point, address.fold, value / address.scale, gpus, host)
    pieces = _pieces(tuple(metrics), gpus).copy()
    lines = len(numbers)
    pieces[1::4] = [b"%08x" % crc32(host.encode())] * lines
    pieces[3::4] = [host.replace("%", "%%").encode()] * lines
    return b"".join(pieces) % tuple(numbers)


def per_gpu(point: Point, fold: str, value: float, gpus: int, host: str) -> list[float]:
    """One number per GPU; their `fold` is `value`, and the same GPU is always a little above or below."""
    if point.name.endswith("limit_w"):
        return [value / gpus if fold == "sum" else value] * gpus
    lean = leanings(host, gpus)
    if fold == "sum":
        each = value / gpus
        return [each + _SPREAD * each * x for x in lean]
    amplitude = _amplitude(point, value)
    if fold == "mean":
        return [value + amplitude * x for x in lean]
    edge = max(lean) if fold == "max" else min(lean)
    return [value + amplitude * (x - edge) for x in lean]


def _amplitude(point: Point, value: float) -> float:
    unit = unit_of(point.name)
    if unit == "pct":
        return min(_SPREAD_K, abs(value), abs(100.0 - value))
    return _SPREAD_K if unit == "c" else _SPREAD * abs(value)


def leanings(host: str, gpus: int) -> tuple[float, ...]:
    """How each GPU of `host` differs, -1 to 1, with mean 0: the same draw for all, begun elsewhere."""
    drawn = _drawn(gpus)
    first = crc32(host.encode()) % gpus
    return drawn[first:] + drawn[:first]


@lru_cache
def _drawn(gpus: int) -> tuple[float, ...]:
    raw = [crc32(f"gpu {gpu}".encode()) / 2**32 - 0.5 for gpu in range(gpus)]
    mean = sum(raw) / gpus
    return tuple(x - mean for x in raw)


@lru_cache
def _pieces(metrics: tuple[str, ...], gpus: int) -> list[bytes]:
    """The text of any rack in pieces, with `%.6f` for each number; each line's mark and host stand alone.

    A large site asks for hundreds of pages a second: joining pieces takes a fiftieth of replacing words.
    """
    lines: list[str] = []
    for metric in metrics:
        kind, text = _HELP.get(metric, ("gauge", metric))
        lines += (f"# HELP {metric} {text.replace('%', '%%')}", f"# TYPE {metric} {kind}")
        lines += (f"{metric}{{{_labels(gpu)}}} %.6f" for gpu in range(gpus))
    return re.split(rb"(<mark>|<host>)", "\n".join([*lines, ""]).encode())


def _labels(gpu: int) -> str:
    pairs = {
        "gpu": f"{gpu}",
        "UUID": f"GPU-<mark>-0000-4000-8000-{gpu:012x}",
        "pci_bus_id": f"{gpu // 4:08X}:{gpu % 4 + 1:02X}:00.0",
        "device": f"nvidia{gpu}",
        "modelName": _MODEL,
        "Hostname": "<host>",
        "DCGM_FI_DRIVER_VERSION": _DRIVER,
    }
    return ",".join(f'{key}="{value}"' for key, value in pairs.items())
