"""GPUs through NVIDIA's management library (nvidia-ml-py)."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from igoudar.control.caps_agent.gpus import Gpu, GpuError

LOG = logging.getLogger(__name__)

MW_PER_W = 1000
ONE_GPU = ("GpuIsLost", "NotSupported", "Unknown")  # what ails one GPU, not the way to all
FIXES = {
    "no_permission": "run the agent as root, or with CAP_SYS_ADMIN",
    "driver_not_loaded": "load the driver (nvidia-smi shows whether it answers)",
    "library_not_found": "install NVIDIA's driver: it brings libnvidia-ml.so.1",
    "gpu_is_lost": "reset the GPU or reboot the node",
}

Answer = TypeVar("Answer")


class Nvml:
    """Opens the library when it is first needed, and again after the driver went away under it."""

    def __init__(self) -> None:
        self._open = False
        self._left_out: set[int] = set()

    def look(self) -> Sequence[Gpu]:
        """See Gpus. One that is lost is left out, so that the others' caps end in time."""
        return self._asked(self._gpus)

    def set_limit(self, uuid: str, limit_w: float) -> None:
        """See Gpus. Handles don't survive a reload of the driver, so none is kept."""

        def set_it(nvml: Any) -> None:
            handle = self._handle(nvml, uuid)
            nvml.nvmlDeviceSetPowerManagementLimit(handle, round(limit_w * MW_PER_W))

        self._asked(set_it)

    def driver(self) -> str:
        """The driver's version, "" when it does not answer."""
        with contextlib.suppress(GpuError):
            return str(self._asked(lambda nvml: nvml.nvmlSystemGetDriverVersion()))
        return ""

    def close(self) -> None:
        """Give the library back."""
        if self._open:
            self._open = False
            with contextlib.suppress(GpuError), _typed() as nvml:
                nvml.nvmlShutdown()

    def _asked(self, ask: Callable[[Any], Answer]) -> Answer:
        try:
            return self._once(ask)
        except GpuError:
            if not self._open:
                raise
            self.close()  # what was open may be of a driver that is gone
            return self._once(ask)

    def _once(self, ask: Callable[[Any], Answer]) -> Answer:
        with _typed() as nvml:
            if not self._open:
                nvml.nvmlInit()
                self._open = True
            return ask(nvml)

    @staticmethod
    def _handle(nvml: Any, uuid: str) -> Any:
        for index in range(nvml.nvmlDeviceGetCount()):
            with contextlib.suppress(*_of_one_gpu(nvml)):
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                if nvml.nvmlDeviceGetUUID(handle) == uuid:
                    return handle
        raise GpuError("not_found", "there is no such GPU", where=uuid)

    def _gpus(self, nvml: Any) -> list[Gpu]:
        found: list[Gpu] = []
        ailing: dict[int, Exception] = {}
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                found.append(self._gpu(nvml, index))
            except _of_one_gpu(nvml) as error:
                ailing[index] = error
        if ailing and not found:
            raise ailing.popitem()[1]
        for index in ailing.keys() - self._left_out:
            LOG.error("GPU %d is left out: %s", index, ailing[index])
        self._left_out = set(ailing)
        return found

    @staticmethod
    def _gpu(nvml: Any, index: int) -> Gpu:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        low, high = nvml.nvmlDeviceGetPowerManagementLimitConstraints(handle)
        return Gpu(
            index=index,
            uuid=str(nvml.nvmlDeviceGetUUID(handle)),
            name=str(nvml.nvmlDeviceGetName(handle)),
            limit_w=nvml.nvmlDeviceGetPowerManagementLimit(handle) / MW_PER_W,
            minimum_w=low / MW_PER_W,
            maximum_w=high / MW_PER_W,
            default_w=nvml.nvmlDeviceGetPowerManagementDefaultLimit(handle) / MW_PER_W,
            power_w=_usage_w(nvml, handle),
        )


def _of_one_gpu(nvml: Any) -> tuple[type[Exception], ...]:
    return tuple(getattr(nvml, f"NVMLError_{name}") for name in ONE_GPU)


def _usage_w(nvml: Any, handle: Any) -> float | None:
    try:
        return float(nvml.nvmlDeviceGetPowerUsage(handle)) / MW_PER_W
    except nvml.NVMLError_NotSupported:
        return None


@contextmanager
def _typed() -> Iterator[Any]:
    """The library's module; its errors become ours."""
    import pynvml  # 8,000 lines: only the agent pays for them

    try:
        yield pynvml
    except pynvml.NVMLError as error:
        code = _word(pynvml, error)
        what = f"NVML: {error}"
        raise GpuError(code, what, where="GPU", fix=FIXES.get(code, "")) from error


def _word(nvml: Any, error: Any) -> str:
    """NVML_ERROR_NO_PERMISSION as "no_permission"."""
    names = [n for n, value in vars(nvml).items() if n.startswith("NVML_ERROR_") and value == error.value]
    return names[0].removeprefix("NVML_ERROR_").lower() if names else f"code_{error.value}"
