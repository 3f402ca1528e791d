"""One root for every error that igoudar raises on purpose."""

from collections.abc import Mapping
from typing import NamedTuple


class Said(NamedTuple):
    """The code of the catalogue that says what happened, and its parameters."""

    code: str
    params: Mapping[str, object]


class IgoudarError(Exception):
    """What happened, to what, and what to do next.

    Args:
        what: What happened, in one clause.
        where: The file, line, device, port or part it happened to.
        fix: What the reader can do next.

    Class attribute `retryable` says whether the same call may succeed later.
    """

    retryable = False

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        self.said: Said | None = None  # in the catalogue: see core/said.py
        parts = [f"{where}: {what}" if where else what, fix]
        super().__init__(". ".join(p for p in parts if p))


class ConfigError(IgoudarError):
    """A site file, profile, option or environment value that can't be used (exit code 2)."""


class StoreError(IgoudarError):
    """The telemetry store or the state database refused or lost something."""


class StoreBusyError(StoreError):
    """The store can't keep anything just now: the same batch, sent again later, is kept once.

    Part of the batch may be kept already. `retry_after_s` is how long the store asked to be left alone.
    """

    retryable = True

    def __init__(self, what: str, *, where: str = "", fix: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(what, where=where, fix=fix)
        self.retry_after_s = retry_after_s


class StoreRefusedError(StoreError):
    """The store will never take some samples of a batch; everything else of the batch is kept.

    `refused` maps positions in the batch to what was refused there, as the store was given it.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "", refused: Mapping[int, str]) -> None:
        super().__init__(what, where=where, fix=fix)
        self.refused = dict(refused)


class LinkError(IgoudarError):
    """A device or a part did not answer as it should."""

    retryable = True


class CommandError(IgoudarError):
    """A command that was not carried out."""
