"""Keeps the promise of every pause: watches heartbeat and resume-bys, and resumes. It can do nothing else."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from igoudar.control.failsafe import deeds as record
from igoudar.control.failsafe.deeds import Deed
from igoudar.control.failsafe.heartbeat import process_lives, read_beat
from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.control.failsafe.watch import Deadlines, Pause, Pulse, Why
from igoudar.core.clock import SiteClock
from igoudar.core.errors import CommandError, ConfigError, LinkError, StoreError
from igoudar.core.i18n import render
from igoudar.core.terminal import printable

LOG = logging.getLogger(__name__)

POLL_S = 0.5  # wall, like all times here
CONFIRM_S = 3.0  # a scheduler's list may lag behind what it has acknowledged
RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
CALL_S = 30.0  # for one answer of the scheduler, whatever limit its own calls have
LAST_PASS_S = 8.0  # for what is left when the site is stopped, as a whole
AT_ONCE = 8
KEPT = 1000  # deeds for pauses that are over; control has long read the older ones


class Resumes(Protocol):
    """All that the failsafe may do to a scheduler."""

    async def suspended(self) -> Collection[str]:
        """The jobs that are suspended now."""
        ...

    async def resume(self, job_id: str) -> None:
        """Go on with a suspended job."""
        ...


@dataclass(slots=True)
class Failsafe:
    """One site's failsafe; `step` is one look at the files, given the monotonic time [s].

    Args:
        state: The state folder.
        scheduler: Resumes.
        pulse: Whether control lives.
    """

    state: Path
    scheduler: Resumes
    pulse: Pulse
    ending: bool = False  # control was stopped with the site: nothing may stay paused
    _deadlines: Deadlines = field(default_factory=Deadlines)
    _deeds: dict[Pause, Deed] = field(default_factory=dict)
    _asked_s: dict[Pause, float] = field(default_factory=dict)
    _failures: int = 0
    _retry_s: float = 0.0
    _said: str = ""

    @classmethod
    def open(cls, state: Path, scheduler: Resumes, now_s: float) -> "Failsafe":
        """Go on from what an earlier failsafe of this site recorded."""
        return cls(state, scheduler, Pulse(now_s), _deeds={deed.pause: deed for deed in _kept(state)})

    @property
    def idle(self) -> bool:
        """Nothing is paused that has not run again."""
        return not any(self._open(pause) for pause in self._deadlines.by_s)

    async def step(self, now_s: float) -> None:
        """One look, and what follows from it."""
        self.pulse.note(read_beat(self.state), now_s)
        self._look(now_s)
        wanted = self._wanted(now_s)
        if wanted and now_s >= self._retry_s:
            await self._resume(wanted, now_s)

    def _look(self, now_s: float) -> None:
        try:
            paused = SuspendedJobs(self.state).read()
        except StoreError as error:
            self._say(str(error))  # what was read before still holds
            return
        self._deadlines.note(paused, _clock(self.state), now_s)
        self._asked_s = {pause: at for pause, at in self._asked_s.items() if pause in self._deadlines.by_s}
        gone = [d for d in self._deeds.values() if not d.over and d.pause not in self._deadlines.by_s]
        self._keep([_settled(deed) for deed in gone])

    def _open(self, pause: Pause) -> bool:
        deed = self._deeds.get(pause)
        return deed is None or not deed.over

    def _wanted(self, now_s: float) -> dict[Pause, Why]:
        """The pauses to end, with the reason; one that was begun is finished."""
        begun = {pause: deed.why for pause, deed in self._deeds.items() if not deed.over}
        found = dict.fromkeys(self._deadlines.due(now_s), Why.RESUME_BY)
        if self.ending or self.pulse.silent(now_s):
            why = Why.STOPPED if self.ending else Why.SILENCE
            found = dict.fromkeys(self._deadlines.by_s, why) | found
        return {pause: why for pause, why in (found | begun).items() if self._open(pause)}

    async def _resume(self, wanted: Mapping[Pause, Why], now_s: float) -> None:
        listed = await self._listed()
        settled = {} if listed is None else {p: w for p, w in wanted.items() if p.job_id not in listed}
        self._keep([_settled(self._deed(pause, why)) for pause, why in settled.items()])
        since_s = now_s - CONFIRM_S
        asked = {
            p: w for p, w in wanted.items() if p not in settled and self._asked_s.get(p, -1e9) <= since_s
        }
        self._keep([_tried(self._deed(pause, why)) for pause, why in asked.items()])  # before the call
        room = asyncio.Semaphore(AT_ONCE)
        errors = await asyncio.gather(*(self._ask(pause, room) for pause in asked))
        for pause, error in zip(asked, errors, strict=True):
            self._note(pause, error, blind=listed is None, now_s=now_s)
        self._back_off(any(errors) or listed is None, now_s)

    async def _listed(self) -> Collection[str] | None:
        """The suspended jobs; None when the scheduler's list can't be read: then it is asked blindly."""
        try:
            async with asyncio.timeout(CALL_S):
                return await self.scheduler.suspended()
        except (LinkError, CommandError, OSError) as error:
            self._say(_reason(error))
            return None

    async def _ask(self, pause: Pause, room: asyncio.Semaphore) -> str:
        async with room:
            try:
                async with asyncio.timeout(CALL_S):
                    await self.scheduler.resume(pause.job_id)
            except (LinkError, CommandError, OSError) as error:
                return _reason(error)
        return ""

    def _note(self, pause: Pause, error: str, *, blind: bool, now_s: float) -> None:
        """An acknowledged call is believed when the list shows it, or when there is no list."""
        deed = self._deeds[pause]
        if error:
            self._say(error)
            self._keep([replace(deed, error=error)])
        elif blind:
            self._keep([_settled(deed)])
        else:
            self._asked_s[pause] = now_s

    def _back_off(self, failed: bool, now_s: float) -> None:
        self._failures = self._failures + 1 if failed else 0
        pause_s = RETRY_S[min(self._failures, len(RETRY_S)) - 1] if failed else 0.0
        self._retry_s = now_s + pause_s

    def _deed(self, pause: Pause, why: Why) -> Deed:
        clock = _clock(self.state)
        at = clock.now() if clock else datetime.now(UTC)
        return self._deeds.get(pause) or Deed(uuid.uuid4().hex, pause, why, at)

    def _keep(self, changed: Iterable[Deed]) -> None:
        """Record deeds; one that can't be recorded is done all the same."""
        new = {deed.pause: deed for deed in changed}
        if not new:
            return
        for deed in new.values():
            if deed.over:
                LOG.warning("%s", render(f"failsafe.{deed.state}", _told(deed)))
        self._deeds |= new
        over = [pause for pause in self._deeds if pause not in self._deadlines.by_s and not self._open(pause)]
        for pause in over[: max(0, len(over) - KEPT)]:
            del self._deeds[pause]
        try:
            record.write_deeds(self.state, list(self._deeds.values()))
        except OSError as error:
            self._say(f"{record.NAME} can't be written ({error})")

    def _say(self, what: str) -> None:
        if what != self._said:
            LOG.warning("%s", what)
        self._said = what


async def serve(failsafe: Failsafe, orphaned: Callable[[], bool]) -> None:
    """Watch until cancelled, or until nobody is left to watch for and nothing is paused.

    When it is stopped after control, what is still paused runs again before it goes.
    """
    try:
        while True:
            await failsafe.step(time.monotonic())
            if orphaned() and failsafe.idle:
                return
            await asyncio.sleep(POLL_S)
    finally:
        beat = read_beat(failsafe.state)
        if beat is None or not process_lives(beat.pid):
            await _last_pass(failsafe)


async def _last_pass(failsafe: Failsafe) -> None:
    failsafe.ending = True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_PASS_S):
            await failsafe.step(time.monotonic())
            while not failsafe.idle:
                await asyncio.sleep(POLL_S)
                await failsafe.step(time.monotonic())


def _reason(error: Exception) -> str:
    """Never empty: "" stands for a call that was answered."""
    return str(error) or f"the scheduler has not answered within {CALL_S:g} s"


def _tried(deed: Deed) -> Deed:
    return replace(deed, attempts=deed.attempts + 1)


def _settled(deed: Deed) -> Deed:
    return replace(deed, state=record.RESUMED if deed.attempts else record.NOT_NEEDED)


def _told(deed: Deed) -> dict[str, object]:
    why = render(str(deed.why), {"resume_by": {"time": deed.pause.entry.resume_by.isoformat()}})
    return {"job": printable(deed.pause.job_id), "why": why}


def _clock(state: Path) -> SiteClock | None:
    try:
        return SiteClock.load(state / "clock.json")
    except ConfigError:
        return None


def _kept(state: Path) -> list[Deed]:
    """The deeds of an earlier life; a record that can't be read is set aside, jobs matter more."""
    try:
        return record.read_deeds(state)
    except StoreError as error:
        LOG.warning("%s", error)
        (state / record.NAME).rename(state / f"{record.NAME}.unreadable")
        return []
