"""Keeps what was promised: sets caps, ends them by itself, and puts them back when a boot has lost them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from igoudar.collectors.faults import Backoff
from igoudar.collectors.results import Error, OutOfBounds, Partial, Rejected, Result, Success
from igoudar.control.caps_agent.asking import Asked
from igoudar.control.caps_agent.book import Book, Cap
from igoudar.control.caps_agent.boot import BootClock
from igoudar.control.caps_agent.bounds import bounds, common, holds
from igoudar.control.caps_agent.config import Rules
from igoudar.control.caps_agent.gpus import Gpu, GpuError, Gpus
from igoudar.core.errors import StoreError

LOG = logging.getLogger(__name__)

ALL = "all"
LONGEST_REST_S = 300.0  # between tries on a GPU that does not take what was promised


@dataclass(slots=True)
class Keeper:
    """One node's caps; synchronous, called by one caller at a time.

    Args:
        gpus: The node's.
        rules: What the site allows.
        book: What was promised before.
        folder: Where the book is kept.
        clock: Of this boot.
    """

    gpus: Gpus
    rules: Rules
    book: Book
    folder: Path
    clock: BootClock
    reapplied: int = 0  # how often a GPU had lost its cap
    _rests: dict[str, Backoff] = field(default_factory=dict)

    def set_cap(self, asked: Asked) -> Result:
        """Cap a GPU, or all. The same command id twice does it once."""
        refused = self._refused(asked)
        if refused is not None:
            return refused
        try:
            found = self._meant(asked.gpu)
        except GpuError as error:
            return Error(str(error))
        if not found:
            return Rejected("unknown_gpu")
        low, high = common(found, self.rules)
        if not low <= asked.limit_w <= high:
            return OutOfBounds(low, high)
        return self._promise(asked, found)

    def tick(self) -> float:
        """End what is over, put back what was lost; returns the seconds until the next tick is due.

        Raises:
            GpuError: the driver does not answer.
            StoreError: the book can't be kept.
        """
        now_s = self.clock.now_s()
        for cap in self.book.caps.values():
            cap.releasing = cap.releasing or cap.deadline_s <= now_s
        if self.book.caps:
            self._hold(self.gpus.look(), now_s)
        ends = [cap.deadline_s - now_s for cap in self.book.caps.values() if not cap.releasing]
        return max(0.05, min([self.rules.verify_s, *ends]))

    def release_all(self) -> None:
        """Give every GPU its default, as on a clean stop; the book keeps the caps for the next start.

        Raises:
            GpuError: the last one; the other GPUs have been released.
        """
        last: GpuError | None = None
        for gpu in self.gpus.look():
            try:
                if gpu.uuid in self.book.caps:
                    self.gpus.set_limit(gpu.uuid, bounds(gpu, self.rules).default_w)
            except GpuError as error:
                last = error
        if last is not None:
            raise last

    def wanted_w(self, gpu: Gpu) -> float | None:
        """What we promised that it holds; None where we promised nothing."""
        cap = self.book.caps.get(gpu.uuid)
        if cap is None:
            return None
        limits = bounds(gpu, self.rules)
        return (
            limits.default_w if cap.releasing else min(max(cap.limit_w, limits.minimum_w), limits.maximum_w)
        )

    def _refused(self, asked: Asked) -> Rejected | None:
        if self.book.seen.get(asked.command_id, asked.content) != asked.content:
            return Rejected("command_id_reused")
        if asked.epoch is not None and asked.epoch < self.book.epoch:
            return Rejected("stale_epoch")
        return Rejected("life_too_long") if asked.life_s > self.rules.longest_s else None

    def _meant(self, gpu: str) -> list[Gpu]:
        return [one for one in self.gpus.look() if gpu in (ALL, one.uuid, str(one.index))]

    def _promise(self, asked: Asked, gpus: Sequence[Gpu]) -> Result:
        """In the book first: whatever happens between, the cap ends."""
        again = asked.command_id in self.book.seen
        earlier = dict(self.book.caps)
        if not again:
            deadline_s = self.clock.now_s() + asked.life_s
            for gpu in gpus:
                self.book.caps[gpu.uuid] = Cap(asked.limit_w, asked.command_id, deadline_s)
            self.book.remember(asked.command_id, asked.content)
            self.book.epoch = max(self.book.epoch, asked.epoch or 0)
        try:
            self.book.keep(self.folder, self.clock)
        except StoreError as error:
            self.book.caps = earlier
            if not again:
                self.book.seen.pop(asked.command_id, None)
            return Error(str(error))
        ours = [gpu for gpu in gpus if self._of(asked, gpu)]
        return self._done(asked, ours, self._set(ours), earlier) if ours else Rejected("already_done")

    def _of(self, asked: Asked, gpu: Gpu) -> bool:
        """Whether this command still is the one that counts for a GPU."""
        cap = self.book.caps.get(gpu.uuid)
        return cap is not None and cap.command_id == asked.command_id and not cap.releasing

    def _set(self, gpus: Sequence[Gpu]) -> dict[str, str]:
        """Set each as promised and read it back; what failed, by UUID."""
        failed: dict[str, str] = {}
        for gpu in gpus:
            wanted_w = self.wanted_w(gpu)
            try:
                if wanted_w is not None and not holds(gpu, wanted_w):
                    self.gpus.set_limit(gpu.uuid, wanted_w)
            except GpuError as error:
                failed[gpu.uuid] = str(error)
        try:
            held = {gpu.uuid: gpu for gpu in self.gpus.look()}
        except GpuError as error:
            return {gpu.uuid: str(error) for gpu in gpus}
        for gpu in gpus:
            wanted_w, now = self.wanted_w(gpu), held.get(gpu.uuid)
            if gpu.uuid not in failed and (
                now is None or (wanted_w is not None and not holds(now, wanted_w))
            ):
                reads = f"{now.limit_w:g} W" if now else "nothing"
                failed[gpu.uuid] = f"{gpu.uuid} reads back {reads} instead of {wanted_w:g} W"
        return failed

    def _done(
        self, asked: Asked, gpus: Sequence[Gpu], failed: Mapping[str, str], earlier: Mapping[str, Cap]
    ) -> Result:
        """Who did not take it is promised what it was before: an earlier cap still has its end."""
        if not failed:
            return Success(asked.limit_w)
        for uuid in failed:
            self._put_back(uuid, asked, earlier.get(uuid))
        self._keep_quietly()
        told = "; ".join(sorted(set(failed.values())))
        return Error(told) if len(failed) == len(gpus) else Partial(asked.limit_w, told)

    def _hold(self, gpus: Sequence[Gpu], now_s: float) -> None:
        """Compare what the GPUs hold with what was promised, and set it right."""
        lost = {gpu.uuid: gpu for gpu in gpus if not self._as_promised(gpu)}
        due = [gpu for gpu in lost.values() if self._due(gpu.uuid, now_s)]
        failed = self._set(due)
        for gpu in due:
            self._tried(gpu, failed.get(gpu.uuid), now_s)
            if gpu.uuid not in failed:
                del lost[gpu.uuid]
        right = {gpu.uuid for gpu in gpus} - set(lost)
        over = [uuid for uuid, cap in self.book.caps.items() if cap.releasing and uuid in right]
        for uuid in over:
            del self.book.caps[uuid]
        if over or due:
            self.book.keep(self.folder, self.clock)

    def _as_promised(self, gpu: Gpu) -> bool:
        wanted_w = self.wanted_w(gpu)
        return wanted_w is None or holds(gpu, wanted_w)

    def _due(self, uuid: str, now_s: float) -> bool:
        rest = self._rests.setdefault(uuid, Backoff(self.rules.verify_s, LONGEST_REST_S))
        return rest.due(now_s)

    def _tried(self, gpu: Gpu, failure: str | None, now_s: float) -> None:
        if failure:
            self._rests[gpu.uuid].failed(now_s)
            LOG.error("%s does not take what was promised: %s", gpu.uuid, failure)
            return
        self._rests[gpu.uuid].succeeded()
        if not self.book.caps[gpu.uuid].releasing:
            self.reapplied += 1
            LOG.warning("%s had lost its cap (%g W); it is set again", gpu.uuid, gpu.limit_w)

    def _put_back(self, uuid: str, asked: Asked, cap: Cap | None) -> None:
        if cap is None or cap.command_id == asked.command_id:
            self.book.caps.pop(uuid, None)
        else:
            self.book.caps[uuid] = cap

    def _keep_quietly(self) -> None:
        try:
            self.book.keep(self.folder, self.clock)
        except StoreError as error:
            LOG.error("%s", error)
