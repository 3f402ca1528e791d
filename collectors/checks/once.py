"""A command is carried out once: what became of each id is remembered, across restarts."""

import json
import logging
from collections import OrderedDict
from pathlib import Path
from typing import Any

from igoudar.collectors import wire
from igoudar.collectors.results import Error, OutOfBounds, Rejected, Result
from igoudar.core.durable import write_durably
from igoudar.core.errors import StoreError
from igoudar.core.model import Setpoint

LOG = logging.getLogger(__name__)

ONCE_FILE = "commands.jsonl"
REMEMBERED = 10_000

NOTHING_DONE = (Rejected, OutOfBounds)
BEGUN = Error("begun before the collector was restarted; not known to have happened")


class Once:
    """The results of the last commands that touched a device.

    One line is written when a command begins and one when it ends; they reach the kernel at once, so they
    survive a killed process. A power cut may lose the last of them, but also ends their leases and lives.

    Args:
        state: The folder of `commands.jsonl`.
        most: How many are remembered.

    Raises:
        StoreError: the file can't be used.
    """

    def __init__(self, state: Path, most: int = REMEMBERED) -> None:
        self._file, self._most = state / ONCE_FILE, most
        self._results: OrderedDict[str, tuple[str, Result]] = OrderedDict()
        self._lines = 0
        try:
            self._load()
            self._rewrite()
            self._log = self._file.open("ab", buffering=0)
        except OSError as error:
            what, fix = f"commands can't be kept ({error.strerror})", "check free space and permissions"
            raise StoreError(what, where=str(self._file), fix=fix) from error

    def close(self) -> None:
        """Close the file."""
        self._log.close()

    def known(self, wish: Setpoint) -> Result | None:
        """What became of this command before, None when it is new."""
        found = self._results.get(wish.command_id)
        if found is None:
            return None
        return found[1] if found[0] == _content(wish) else Rejected("id_reused")

    def begins(self, wish: Setpoint) -> bool:
        """It is about to touch a device; False when that can't be noted: then it must not."""
        noted = self._note(wish, BEGUN)
        if not noted:
            self._results.pop(wish.command_id, None)
        return noted

    def ended(self, wish: Setpoint, result: Result) -> None:
        """It is over; a refusal before the wire may be asked for again."""
        self._note(wish, result)
        if isinstance(result, NOTHING_DONE):
            self._results.pop(wish.command_id, None)

    def _note(self, wish: Setpoint, result: Result) -> bool:
        self._results[wish.command_id] = _content(wish), result
        self._results.move_to_end(wish.command_id)
        while len(self._results) > self._most:
            self._results.popitem(last=False)
        try:
            self._log.write(_line(wish.command_id, _content(wish), result).encode() + b"\n")
            self._lines += 1
            if self._lines > 4 * self._most:
                self._start_anew()
        except OSError as error:
            LOG.error("%s can't be written: %s", self._file, error)
            return False
        return True

    def _start_anew(self) -> None:
        self._log.close()
        try:
            self._rewrite()
        finally:
            self._log = self._file.open("ab", buffering=0)

    def _load(self) -> None:
        try:
            lines = self._file.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            entry = _entry(line)
            if entry is None:
                continue
            name, content, result = entry
            self._results.pop(name, None)
            if not isinstance(result, NOTHING_DONE):
                self._results[name] = content, result

    def _rewrite(self) -> None:
        while len(self._results) > self._most:
            self._results.popitem(last=False)
        lines = [_line(name, content, result) for name, (content, result) in self._results.items()]
        write_durably(self._file, "".join(line + "\n" for line in lines).encode())
        self._lines = len(lines)


def _content(wish: Setpoint) -> str:
    return f"{wish.device}/{wish.point}={wish.value!r}"


def _line(name: str, content: str, result: Result) -> str:
    return json.dumps([name, content, wire.pack_result(result)])


def _entry(line: str) -> tuple[str, str, Result] | None:
    """One line; None for one that was cut by a power cut."""
    try:
        entry: Any = json.loads(line)
        return str(entry[0]), str(entry[1]), wire.unpack_result(entry[2])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
