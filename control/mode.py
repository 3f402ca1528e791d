"""The control mode: observe, advise or auto, of the site and of each actuator class; who set it, and why."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast, get_args

from sqlalchemy import select

from igoudar.control.actuation.command import ActuatorClass
from igoudar.control.lease import not_writer
from igoudar.control.records.safety_tables import ClassModeRow
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ModeRow
from igoudar.control.schema import ModeView, ModeWord
from igoudar.core.errors import CommandError, ConfigError
from igoudar.core.said import said

CALM: tuple[ModeWord, ...] = ("observe", "advise", "auto")  # the calmest first


def mode_word(word: str) -> ModeWord:
    """A mode by its word.

    Raises:
        ConfigError: for any other word.
    """
    if word not in get_args(ModeWord):
        raise said(ConfigError, "refusal.mode_unknown", word=repr(word))
    return cast("ModeWord", word)


def class_word(word: str) -> ActuatorClass:
    """An actuator class by its word.

    Raises:
        ConfigError: for any other word.
    """
    try:
        return ActuatorClass(word)
    except ValueError as error:
        known = ", ".join(ActuatorClass)
        raise said(ConfigError, "refusal.class_unknown", word=repr(word), known=known) from error


class Modes:
    """The modes of this run; a restarted part keeps what a person has set.

    A class is never bolder than its site: its mode is the calmer of the two.
    """

    def __init__(
        self,
        records: Records,
        start: str,
        forced: str | None,
        at: datetime,
        run_id: str,
        classes: Mapping[str, str] | None = None,
        *,
        writer: bool = True,
    ) -> None:
        self._records, self._forced, self._run_id = records, forced, run_id
        self._usual = {name: mode_word(word) for name, word in (classes or {}).items()}
        self._classes = dict(self._usual)
        self.held: Callable[[], bool] = lambda: True  # whether this host is the writer
        last = self._left() if run_id and not forced else None
        self._told = writer or last is not None  # what a host that only waits would do is nobody's wish
        if last:
            self._mode, self._since, self._by = self._word(last), last.at, last.by
            self._classes |= self._kept(run_id)
        else:
            self._mode, self._since, self._by = "observe" if forced else mode_word(start), at, "start"
            if writer:
                self._set(self._mode, "start", forced or "start", at)

    @property
    def mode(self) -> ModeWord:
        """The site's mode now."""
        return self._mode

    def of(self, actuator: str) -> ModeWord:
        """The mode of an actuator class now."""
        return min(self._mode, self._classes.get(actuator, self._mode), key=CALM.index)

    def classes(self) -> dict[str, ModeWord]:
        """The mode of every class now."""
        return {actuator.value: self.of(actuator) for actuator in ActuatorClass}

    def change(self, mode: ModeWord, by: str, reason: str, at: datetime) -> ModeView:
        """Another mode of the site from now on.

        Raises:
            CommandError: when this run only observes, or another host is the writer.
        """
        self._refuse(mode)
        self._set(mode, by, reason, at)
        return self.view()

    def change_class(self, actuator: ActuatorClass, mode: ModeWord, by: str, at: datetime) -> ModeView:
        """Another mode of one class from now on; "auto" = as the site.

        Raises:
            CommandError: when this run only observes, or another host is the writer.
        """
        self._refuse(mode)
        row = ClassModeRow(actuator=actuator.value, mode=mode, at=at, by=by, run_id=self._run_id)
        self._records.merge([row])
        self._classes[actuator.value] = mode
        return self.view()

    def stand(self, at: datetime) -> None:
        """Keep the mode that this host has begun to act in, if it has not been kept.

        Raises:
            StoreError: the records can't be written.
        """
        if not self._told:
            self._set(self._mode, self._by, self._forced or "start", at)

    def take_over(self, at: datetime) -> None:
        """Go on in the modes that another host's control had; a run that is forced observes.

        Raises:
            StoreError: the records can't be read.
        """
        last = self._last()
        if last is None or self._forced or (self._run_id and last.run_id == self._run_id):
            return
        self._classes = {**self._usual, **self._kept(last.run_id)}
        self._set(self._word(last), last.by, "takeover", at)
        run = self._run_id
        kept = [
            ClassModeRow(actuator=n, mode=m, at=at, by=last.by, run_id=run) for n, m in self._classes.items()
        ]
        self._records.merge(kept)

    def _left(self) -> ModeRow | None:
        """What this run was left in; the other host's if that is newer and calmer."""
        changes = select(ModeRow).where(ModeRow.run_id == self._run_id).order_by(ModeRow.id.desc()).limit(1)
        ours: list[ModeRow] = self._records.rows(changes)
        last = self._last()
        return min([*ours, last], key=lambda row: CALM.index(self._word(row))) if ours and last else None

    def _last(self) -> ModeRow | None:
        """The latest change that anybody made."""
        rows: list[ModeRow] = self._records.rows(select(ModeRow).order_by(ModeRow.id.desc()).limit(1))
        return rows[0] if rows else None

    def view(self) -> ModeView:
        """The modes as a document."""
        return ModeView(
            mode=self._mode, since=self._since, by=self._by, forced=self._forced, classes=self.classes()
        )

    def _refuse(self, mode: ModeWord) -> None:
        if self._forced and mode != "observe":
            raise said(CommandError, "refusal.only_observes", where="mode", why=self._forced)
        if mode != "observe" and not self.held():
            raise not_writer("mode")

    def _kept(self, run_id: str) -> dict[str, ModeWord]:
        of_run = select(ClassModeRow).where(ClassModeRow.run_id == run_id)
        rows: list[ClassModeRow] = self._records.rows(of_run)
        return {row.actuator: self._word(row) for row in rows}

    def _word(self, row: ModeRow | ClassModeRow) -> ModeWord:
        """What a row says; the calmest for a word that is not known here."""
        try:
            return mode_word(row.mode)
        except ConfigError as error:
            self._records.aside.note(row, error)
            return CALM[0]

    def _set(self, mode: ModeWord, by: str, reason: str, at: datetime) -> None:
        self._records.add([ModeRow(at=at, mode=mode, by=by, reason=reason, run_id=self._run_id)])
        self._mode, self._since, self._by, self._told = mode, at, by, True
