"""What the failsafe did while control was away becomes part of the audit when control is back."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from igoudar.control.alarms.rules import Condition
from igoudar.control.alarms.watch import Conditions, Signal
from igoudar.control.failsafe.deeds import NAME, RESUMED, Deed, read_deeds
from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.control.picture import Picture
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ActionRow
from igoudar.control.text import text
from igoudar.core.errors import StoreError

LOG = logging.getLogger(__name__)
WHO = "failsafe"


@dataclass(slots=True)
class FailsafeAudit:
    """Takes the failsafe's finished deeds in, each once; `absorb` costs nothing while the file stands still.

    Args:
        state: The state folder.
        records: The audit.
        resumed: Told of each job whose pause is over (job, site time).
        config_version: Of the site as it stands.
        zone: The site's time zone.
    """

    state: Path
    records: Records
    resumed: Callable[[str, datetime], None]
    config_version: str
    zone: str
    _seen_ns: int = 0
    _known: set[str] = field(default_factory=set)
    _to_tell: list[str] = field(default_factory=list)  # jobs that an alarm has to name

    def absorb(self) -> Sequence[Deed]:
        """Record what is new, and forget those pauses: they are over; return what is new."""
        changed_ns = _changed_ns(self.state / NAME)
        if changed_ns == self._seen_ns:
            return ()
        try:
            finished = [deed for deed in read_deeds(self.state) if deed.over]
            new = [deed for deed in finished if not self._recorded(deed)]
            self.records.add([self._row(deed) for deed in new])
            self._close(finished)
        except StoreError as error:
            LOG.warning("%s", error)
            return ()
        self._seen_ns = changed_ns
        self._to_tell += [deed.pause.job_id for deed in new if deed.state == RESUMED]
        return new

    def signals(self, picture: Picture, before: Conditions) -> Iterator[Signal]:
        """One alarm for what was resumed since the last cycle: somebody should know why control did not."""
        jobs, self._to_tell = self._to_tell, []
        if jobs:
            params: dict[str, object] = {"source": WHO, "jobs": len(jobs), "first": jobs[0]}
            yield Signal("failsafe_acted", WHO, 2, "failsafe_acted", Condition(), params, pulse=True)

    def _recorded(self, deed: Deed) -> bool:
        if deed.deed_id not in self._known:
            rows = self.records.actions(limit=100, target=deed.pause.job_id)
            self._known |= {str(row.params.get("command_id")) for row in rows if row.who == WHO}
        return deed.deed_id in self._known

    def _close(self, finished: Sequence[Deed]) -> None:
        """A pause that is over; a job that was paused again since keeps its new one."""
        paused = SuspendedJobs(self.state).read()
        for deed in finished:
            if paused.get(deed.pause.job_id) == deed.pause.entry:
                self.resumed(deed.pause.job_id, deed.at)

    def _row(self, deed: Deed) -> ActionRow:
        why = text(str(deed.why), self.zone, resume_by=deed.pause.entry.resume_by)
        return ActionRow(
            at=deed.at,
            who=WHO,
            verb="resume",
            target=deed.pause.job_id,
            before="suspended",
            after="running",
            code=why.code,
            params={**why.params, "command_id": deed.deed_id, "attempts": deed.attempts},
            result="done" if deed.state == RESUMED else "not needed",
            config_version=self.config_version,
        )


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
