"""Which registers a device refuses: found by halving a refused request, remembered, doubted after a while."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from igoudar.collectors.faults import Backoff, DeviceFault
from igoudar.collectors.spans import Block, Learned, Span

LOG = logging.getLogger(__name__)

REFUSED = (1, 2, 3, 4, 8)
"""Exceptions that concern the registers asked for, not the device as a whole."""

PART_REFUSED = (2, 3)
"""Exceptions that a part of the same request may not get: illegal address, illegal quantity."""

FIRST_DOUBT_S, LONGEST_DOUBT_S = 60.0, 3600.0

Read = Callable[[Block], Awaitable[bytes]]


class Refusals:
    """What one device has been seen to refuse.

    Args:
        name: Of the device, for the log.
    """

    def __init__(self, name: str) -> None:
        self.learned = Learned()
        self._name = name
        self._doubt = Backoff(FIRST_DOUBT_S, LONGEST_DOUBT_S)

    def may_explore(self, now_s: float) -> bool:
        """Whether it is time to look closer at a refusal (monotonic `now_s`)."""
        return self._doubt.due(now_s)

    def doubt(self, now_s: float) -> bool:
        """Forget what was learned when it is old enough to be tried again; tells whether it did."""
        if not self.learned or not self._doubt.due(now_s):
            return False
        self.learned = Learned()
        return True

    def fine(self) -> None:
        """Everything was answered as the profile has it."""
        self._doubt.succeeded()

    async def explore(
        self, block: Block, spans: Sequence[Span], read: Read, now_s: float, *, awake: bool
    ) -> bool:
        """Find what of a refused request is at fault; tells whether something was learned.

        Args:
            block: The request that was refused.
            spans: What it was asked for.
            read: Asks the device.
            now_s: Monotonic.
            awake: The device answers other requests: then it means what it refuses, even if that is all of
                this one. A device that starts up may refuse everything for a while.

        Raises:
            LinkFault: the device stopped answering meanwhile.
        """
        lost, cuts = set[Span](), set[tuple[int, int]]()
        inside = [span for span in spans if block.holds(span)]
        await _halve(inside, read, lost, cuts)
        self._doubt.failed(now_s)
        if len(lost) == len(inside) and not awake:
            return False
        self.learned = Learned(self.learned.lost | lost, self.learned.cuts | cuts)
        LOG.info("%s refuses %s; no request across %s", self._name, sorted(lost), sorted(cuts))
        return True


async def _halve(refused: Sequence[Span], read: Read, lost: set[Span], cuts: set[tuple[int, int]]) -> None:
    """Read both halves of what was refused as a whole; go on with those that are refused again."""
    if len(refused) == 1:
        lost.add(refused[0])
        return
    half = len(refused) // 2
    answered = 0
    for part in (refused[:half], refused[half:]):
        if await _answers(part, read):
            answered += 1
        else:
            await _halve(part, read, lost, cuts)
    if answered == 2:
        cuts.add((refused[half].function, refused[half].address))


async def _answers(spans: Sequence[Span], read: Read) -> bool:
    end = max(span.end for span in spans)
    try:
        await read(Block(spans[0].function, spans[0].address, end - spans[0].address))
    except DeviceFault as fault:
        if fault.code not in REFUSED:
            raise
        return False
    return True
