"""What the agent answers, as JSON documents; pure."""

from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Result, Success
from igoudar.control.caps_agent.book import Cap
from igoudar.control.caps_agent.bounds import bounds, holds
from igoudar.control.caps_agent.config import Rules
from igoudar.control.caps_agent.gpus import Gpu
from igoudar.control.caps_agent.keeper import Keeper

STATUS = {
    Success: HTTPStatus.OK,
    Partial: HTTPStatus.OK,
    OutOfBounds: HTTPStatus.UNPROCESSABLE_ENTITY,
    Rejected: HTTPStatus.CONFLICT,
    Error: HTTPStatus.BAD_GATEWAY,
}
KINDS = {kind.__name__: kind for kind in STATUS}


def result_document(result: Result) -> dict[str, Any]:
    """A result with its kind."""
    return {"kind": type(result).__name__, **asdict(result)}


def read_result(document: dict[str, Any]) -> Result:
    """The inverse of `result_document`.

    Raises:
        KeyError, TypeError: what came is none.
    """
    fields = {key: value for key, value in document.items() if key != "kind"}
    result: Result = KINDS[document["kind"]](**fields)
    return result


def node_document(keeper: Keeper, gpus: Sequence[Gpu], driver: str) -> dict[str, Any]:
    """All that NVML reads back now, and what was promised."""
    return {
        "boot_id": keeper.clock.boot_id,
        "driver": driver,
        "epoch": keeper.book.epoch,
        "reapplied": keeper.reapplied,
        "gpus": [_gpu(gpu, keeper.rules, keeper) for gpu in gpus],
    }


def error_document(code: str, message: str) -> dict[str, Any]:
    """A request that was not understood, or not allowed."""
    return {"error": {"code": code, "message": message}}


def _gpu(gpu: Gpu, rules: Rules, keeper: Keeper) -> dict[str, Any]:
    limits, wanted_w = bounds(gpu, rules), keeper.wanted_w(gpu)
    return {
        "index": gpu.index,
        "uuid": gpu.uuid,
        "name": gpu.name,
        "limit_w": gpu.limit_w,
        "power_w": gpu.power_w,
        **limits._asdict(),
        "cap": _cap(keeper.book.caps.get(gpu.uuid), keeper.clock.now_s()),
        "as_promised": wanted_w is None or holds(gpu, wanted_w),
    }


def _cap(cap: Cap | None, now_s: float) -> dict[str, Any] | None:
    if cap is None or cap.releasing:
        return None
    left_s = max(0.0, cap.deadline_s - now_s)
    return {"limit_w": cap.limit_w, "command_id": cap.command_id, "left_s": round(left_s, 1)}
