"""The control mode: observe, advise or auto; who set it, and why another may be refused."""

from datetime import datetime
from typing import cast, get_args

from igoudar.control.records.state import Records
from igoudar.control.records.tables import ModeRow
from igoudar.control.schema import ModeView, ModeWord
from igoudar.core.errors import CommandError, ConfigError


def mode_word(word: str) -> ModeWord:
    """A mode by its word.

    Raises:
        ConfigError: for any other word.
    """
    if word not in get_args(ModeWord):
        raise ConfigError(f"unknown mode {word!r}", fix=f"one of {', '.join(get_args(ModeWord))}")
    return cast("ModeWord", word)


class Modes:
    """The mode of this run; a restarted part keeps what a person has set."""

    def __init__(self, records: Records, start: str, forced: str | None, at: datetime, run_id: str) -> None:
        self._records, self._forced, self._run_id = records, forced, run_id
        last = records.last_mode()
        if last and run_id and last.run_id == run_id and not forced:
            self._mode, self._since, self._by = mode_word(last.mode), last.at, last.by
        else:
            self._set("observe" if forced else mode_word(start), "start", forced or "start", at)

    @property
    def mode(self) -> ModeWord:
        """The mode now."""
        return self._mode

    def change(self, mode: ModeWord, by: str, reason: str, at: datetime) -> ModeView:
        """Another mode from now on.

        Raises:
            CommandError: when this run only observes.
        """
        if self._forced and mode != "observe":
            raise CommandError(f"this run only observes: {self._forced}", where="mode")
        self._set(mode, by, reason, at)
        return self.view()

    def view(self) -> ModeView:
        """The mode as a document."""
        return ModeView(mode=self._mode, since=self._since, by=self._by, forced=self._forced)

    def _set(self, mode: ModeWord, by: str, reason: str, at: datetime) -> None:
        self._records.add([ModeRow(at=at, mode=mode, by=by, reason=reason, run_id=self._run_id)])
        self._mode, self._since, self._by = mode, at, by
