"""Processes under supervision: started, watched, restarted with backoff, stopped in reverse order."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from igoudar.app.state import write_whole
from igoudar.core.errors import ConfigError, IgoudarError

CONFIGURATION = 2  # exit code of a part that can't work as configured
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
CALM_S = 60.0  # alive this long: the next death starts the backoff anew
STOP_S = 15.0


@dataclass(slots=True)
class Part:
    """One process: what to start and how it stands."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False  # what it prints goes to its log, not to the terminal
    state: str = "starting"
    restarts: int = 0
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    process: asyncio.subprocess.Process | None = None

    def record(self) -> dict[str, object]:
        """What `parts.json` says of it."""
        pid = self.process.pid if self.process and self.process.returncode is None else None
        return {"state": self.state, "pid": pid, "restarts": self.restarts, "since": self.since.isoformat()}


class Supervisor:
    """Runs parts until told to stop; a part that dies is started again.

    Args:
        parts: In starting order; they are stopped in reverse.
        state: The state folder; logs go to `logs/NAME.log`, health to `parts.json`.
        tell: Receives (code, params) of what a person should see.
    """

    def __init__(self, parts: Sequence[Part], state: Path, tell: Callable[..., None]) -> None:
        self._parts, self._state, self._tell = parts, state, tell
        self._stopping = False

    def _mark(self, part: Part, state: str) -> None:
        part.state, part.since = state, datetime.now(UTC)
        write_whole(self._state / "parts.json", {p.name: p.record() for p in self._parts})

    async def _start(self, part: Part) -> asyncio.subprocess.Process:
        log = self._state / "logs" / f"{part.name}.log"
        with log.open("ab") as errors:
            part.process = await asyncio.create_subprocess_exec(
                *part.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=errors if part.quiet else None,
                stderr=errors,
                env={**os.environ, **part.environment},
                start_new_session=True,
            )
        self._mark(part, "running")
        return part.process

    async def _keep(self, part: Part) -> None:
        attempt = 0
        while not self._stopping:
            began = time.monotonic()
            process = await self._start(part)
            code = await process.wait()
            if self._stopping:
                return
            if code == CONFIGURATION:
                self._mark(part, "dead")
                raise ConfigError(
                    last_words(self._state / "logs" / f"{part.name}.log"), where=part.name, fix=""
                )
            attempt = 0 if time.monotonic() - began > CALM_S else attempt
            part.restarts += 1
            self._mark(part, "restarting")
            self._tell("app.part_died", part=part.name, exit=code, log=f"{self._state}/logs/{part.name}.log")
            await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
            attempt += 1

    async def run(self, until: asyncio.Event) -> None:
        """Keep every part alive until `until` is set, then stop all.

        Raises:
            ConfigError: a part said that it can't work as configured; the others were stopped.
        """
        keepers = [asyncio.create_task(self._keep(part), name=part.name) for part in self._parts]
        stop = asyncio.create_task(until.wait())
        try:
            done, _ = await asyncio.wait([*keepers, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping = True
            stop.cancel()
            for keeper in keepers:
                keeper.cancel()
            await self._stop_all()
        for task in done - {stop}:
            if error := task.exception():
                raise error

    async def _stop_all(self) -> None:
        for part in reversed(self._parts):
            await stop(part)
            self._mark(part, "stopped")


async def stop(part: Part) -> None:
    """End one part: SIGTERM, and SIGKILL for one that does not obey in time."""
    process = part.process
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def last_words(log: Path) -> str:
    """The last line a part wrote before it gave up."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError as error:
        raise IgoudarError(f"no log ({error})", where=str(log)) from error
    return lines[-1] if lines else "stopped without a word"
