"""The node's GPUs as the agent needs them; `nvml` has the real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from igoudar.core.errors import LinkError


class GpuError(LinkError):
    """A GPU, or the way to it, refused; `code` is a word of NVML's own."""

    def __init__(self, code: str, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.code = code


@dataclass(frozen=True, slots=True)
class Gpu:
    """What one GPU says of itself now; powers in W."""

    index: int
    uuid: str
    name: str
    limit_w: float
    minimum_w: float
    maximum_w: float
    default_w: float
    power_w: float | None  # None where the GPU does not measure it


class Gpus(Protocol):
    """Looks at GPUs and sets their limits; every call asks the driver anew."""

    def look(self) -> Sequence[Gpu]:
        """All GPUs of the node.

        Raises:
            GpuError: the driver does not answer.
        """
        ...

    def set_limit(self, uuid: str, limit_w: float) -> None:
        """Set one GPU's limit.

        Raises:
            GpuError: it refuses.
        """
        ...
