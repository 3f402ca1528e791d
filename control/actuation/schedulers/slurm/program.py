"""Runs Slurm's programs: no shell, an environment of our own, a time limit, errors that say what to do."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from igoudar.control.actuation.schedulers import RefusedError
from igoudar.control.actuation.schedulers.slurm.verbs import Verb
from igoudar.core.errors import CommandError, LinkError

TIMEOUT_S = 5.0
END_S = 1.0  # for a killed program to be gone; one that hangs in the kernel isn't waited for
AT_ONCE = 4  # more would only queue in slurmctld
PATH = "/usr/local/bin:/usr/bin:/bin:/opt/slurm/bin"
DOWN = re.compile(
    r"unable to contact slurm controller|connection refused|communication (connection )?failure"
    r"|socket timed out|slurmctld.*(not respond|down)|backup controller|zero bytes were transmitted"
    r"|protocol authentication error|munge|in standby mode|unexpected message received",
    re.IGNORECASE,
)
DENIED = re.compile(r"access/permission denied|invalid user|user .* not authorized", re.IGNORECASE)


@dataclass(slots=True)
class Programs:
    """Slurm's command line for one cluster.

    Args:
        conf: Its slurm.conf.
        folder: Where the programs are, "" = wherever PATH leads.
        may: Why nothing may be changed at this moment (hands_off, no_lease), "" = it may.
    """

    conf: str
    folder: str = ""
    timeout_s: float = TIMEOUT_S
    may: Callable[[], str] = lambda: ""
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def run(self, verb: Verb) -> bytes:
        """What a verb prints.

        Raises:
            LinkError: Slurm does not answer; an acting verb may have been done all the same.
            RefusedError: nothing may be changed any more; the verb was not done.
            CommandError: Slurm refused.
        """
        async with self._turns:
            self._check(verb)
            status, said, error = await self._output(verb.words)
        if status == 0:
            return said
        raise _fault(verb, _first_line(error) or _first_line(said) or f"status {status}")

    def _check(self, verb: Verb) -> None:
        """Asked when the turn has come: whoever judged the command may have done so minutes ago."""
        reason = self.may() if verb.acts else ""
        if reason:
            raise RefusedError(reason, "nothing may be changed any more", where=_where(verb.words))

    async def _output(self, words: Sequence[str]) -> tuple[int, bytes, bytes]:
        process = await self._start(words)
        try:
            async with asyncio.timeout(self.timeout_s):
                said, error = await process.communicate()
        except TimeoutError as late:
            raise LinkError(
                f"no answer within {self.timeout_s:g} s", where=_where(words), fix=_down_fix()
            ) from late
        finally:
            await _end(process)
        return process.returncode or 0, said, error

    async def _start(self, words: Sequence[str]) -> asyncio.subprocess.Process:
        path = self.folder or os.environ.get("PATH", "") + f":{PATH}"
        found = shutil.which(words[0], path=path)
        if found is None:
            fix = "install Slurm's client programs, or name their folder as scheduler.programs"
            raise LinkError(f"there is no program {words[0]!r}", where=path, fix=fix)
        pipe = asyncio.subprocess.PIPE
        null = asyncio.subprocess.DEVNULL
        try:
            return await asyncio.create_subprocess_exec(
                found, *words[1:], stdin=null, stdout=pipe, stderr=pipe, env=self._env()
            )
        except OSError as error:
            fix = "see that it is a program, and that memory and processes are left"
            raise LinkError(f"{found} can't be run ({error})", where=_where(words), fix=fix) from error

    def _env(self) -> dict[str, str]:
        """Nothing of ours but what Slurm needs: times in UTC, task lists in full."""
        conf = str(Path(self.conf).expanduser())
        return {"PATH": PATH, "LC_ALL": "C", "TZ": "UTC", "SLURM_CONF": conf, "SLURM_BITSTR_LEN": "0"}


async def _end(process: asyncio.subprocess.Process) -> None:
    """Nothing outlives its caller, also when that is cancelled."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        try:
            async with asyncio.timeout(END_S):
                await process.wait()
        except TimeoutError:
            process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001


def _fault(verb: Verb, said: str) -> LinkError | CommandError:
    where = _where(verb.words)
    if DOWN.search(said):
        return LinkError(f"Slurm does not answer: {said}", where=where, fix=_down_fix())
    if DENIED.search(said):
        fix = "run igoudar as SlurmUser, or give its user the AdminLevel of docs/slurm.md"
        return CommandError(f"Slurm refused: {said}", where=where, fix=fix)
    return CommandError(f"Slurm refused: {said}", where=where)


def _where(words: Sequence[str]) -> str:
    return " ".join(words[:3])[:80]


def _down_fix() -> str:
    return "see that slurmctld runs and that `scontrol ping` answers; it is asked again each cycle"


def _first_line(text: bytes) -> str:
    """Of what a program says; it is told to people, so that control characters go."""
    for line in text.decode(errors="replace").splitlines():
        if line.strip():
            return "".join(c if c.isprintable() else "?" for c in line.strip())[:300]
    return ""
