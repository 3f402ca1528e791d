"""Whose request goes next on a line: setpoints and what checks them before polls, each kind in its order."""

import asyncio
from collections import deque

IN_A_ROW = 16  # setpoints' requests that overtake a waiting poll: without telemetry nothing may be written


class Turns:
    """So many requests at once; who asks for a turn gives it back.

    Args:
        at_once: Requests in flight.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._urgent, self._polls = deque[asyncio.Future[None]](), deque[asyncio.Future[None]]()
        self._in_a_row = 0

    async def take(self, *, urgent: bool) -> None:
        """Wait for a turn; one that was not given (cancelled) need not be given back."""
        if self._free:  # then nobody waits
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._polls).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had just become ours
                self.give()
            raise

    def give(self) -> None:
        """The request is over: the next one goes."""
        while (queue := self._next()) is not None:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _next(self) -> "deque[asyncio.Future[None]] | None":
        if self._urgent and (not self._polls or self._in_a_row < IN_A_ROW):
            self._in_a_row += 1
            return self._urgent
        self._in_a_row = 0
        return self._polls or None
