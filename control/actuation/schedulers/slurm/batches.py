"""The same wish for many jobs becomes one program: what comes while one runs waits for the next, together."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.control.actuation.schedulers.slurm.verbs import Verb
from igoudar.core.errors import CommandError, LinkError

MOST = 25  # jobs for one program, so that its time limit holds on a slow controller
ALREADY = "job is not suspended"  # what a resume says of a job that an earlier one has reached
ONE_OF_THEM = "unexpected message received"  # about one job, though it sounds like the link

Waiting = tuple[str, "asyncio.Future[None]"]
Build = Callable[[Sequence[str]], Verb]


@dataclass(slots=True)
class Line:
    """Those who want the same."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[Waiting] = field(default_factory=list)


@dataclass(slots=True)
class Batches:
    """Runs verbs for jobs, together where they are the same."""

    programs: Programs
    _lines: dict[Hashable, Line] = field(default_factory=dict)

    async def run(self, same: Hashable, job: str, build: Build) -> None:
        """What `build` makes of this job and of others that are asked the `same`.

        Raises:
            LinkError, CommandError: as for this job alone.
        """
        if "[" in job:  # a list inside a list would be ambiguous
            await self.programs.run(build([job]))
            return
        line = self._lines.setdefault(same, Line())
        done = asyncio.get_running_loop().create_future()
        line.waiting.append((job, done))
        try:
            async with line.turn:
                if not done.done():
                    await self._flush(line, build)
            await done
        finally:
            if not done.cancel() and not done.cancelled():
                done.exception()  # it was told, or nobody is left to tell
            if not line.waiting and not line.turn.locked():
                self._lines.pop(same, None)

    async def _flush(self, line: Line, build: Build) -> None:
        line.waiting = [one for one in line.waiting if not one[1].done()]
        taken, line.waiting = line.waiting[:MOST], line.waiting[MOST:]
        try:
            await self._together(taken, build)
        except asyncio.CancelledError:
            line.waiting = taken + line.waiting  # the others go on without us
            raise

    async def _together(self, taken: Sequence[Waiting], build: Build) -> None:
        try:
            await self.programs.run(build([job for job, _ in taken]))
        except (LinkError, CommandError) as error:
            if len(taken) > 1 and (isinstance(error, CommandError) or ONE_OF_THEM in error.what.lower()):
                await self._apart(taken, build)
                return
            _settle(taken, error)
        else:
            _settle(taken)

    async def _apart(self, taken: Sequence[Waiting], build: Build) -> None:
        """Some were refused: each is asked again and answered for itself; doing it twice changes nothing."""
        for one in taken:
            try:
                await self.programs.run(build([one[0]]))
            except (LinkError, CommandError) as error:
                _settle([one], None if ALREADY in error.what.lower() else error)
            else:
                _settle([one])


def _settle(taken: Sequence[Waiting], error: Exception | None = None) -> None:
    for _, done in taken:
        with suppress(asyncio.InvalidStateError):
            done.set_exception(error) if error else done.set_result(None)
