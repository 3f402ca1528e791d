"""Keeps every alarm's life, cycle by cycle, and its record."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from igoudar.control.alarms import states, watch
from igoudar.control.alarms.alarm import Alarm
from igoudar.control.alarms.rules import Condition
from igoudar.control.alarms.states import AlarmState, Life
from igoudar.control.alarms.storage import storage
from igoudar.control.errors import UnknownNameError
from igoudar.control.picture import Picture
from igoudar.control.records.state import Records
from igoudar.control.records.tables import AlarmEventRow, AlarmRow
from igoudar.control.roster import Roster
from igoudar.core.said import said

Parts = Mapping[str, Mapping[str, object]]
Watch = Callable[[Picture, watch.Conditions], Iterable[watch.Signal]]


class AlarmEngine:
    """All alarms of one site; survives a restart through its records."""

    def __init__(self, roster: Roster, records: Records, started: datetime) -> None:
        self._roster, self._records, self._started = roster, records, started
        self._listening = started  # since when devices could be heard
        known = records.aside.understood(records.alarms(), _alarm)
        self._alarms: dict[tuple[str, str], Alarm] = {(one.code, one.source): one for _, one in known}
        self._conditions: dict[tuple[str, str], Condition] = {
            key: Condition(active=True) for key, alarm in self._alarms.items() if alarm.life.active
        }
        self._restarts = {
            alarm.source: int(str(alarm.params.get("restarts") or 0))
            for alarm in self._alarms.values()
            if alarm.code == "part_dead"
        }
        self._figures: Mapping[str, float] = {}
        self.watches: list[Watch] = []  # of other rooms, each asked in every cycle

    def evaluate(self, picture: Picture, parts: Parts) -> list[Alarm]:
        """One look at everything; returns what was newly raised."""
        changed: list[Alarm] = []
        raised: list[Alarm] = []
        if picture.lost:
            self._listening = picture.at
        for signal in self._signals(picture, parts):
            if not self._quiet(signal):
                after = self._follow(signal, picture.at)
                changed += after
                raised += [alarm for alarm in after if alarm.life.state is AlarmState.UNACKNOWLEDGED]
        self._restarts = {name: int(str(part.get("restarts") or 0)) for name, part in parts.items()}
        self._figures = picture.collector or self._figures
        self._keep(changed, picture.at)
        return raised

    def acknowledge(self, alarm_id: str, by: str, comment: str, at: datetime) -> Alarm:
        """A person has seen an alarm.

        Raises:
            UnknownNameError: when there is no such alarm.
        """
        found = next((alarm for alarm in self._alarms.values() if alarm.id == alarm_id), None)
        if found is None:
            raise said(UnknownNameError, "refusal.no_alarm", where=alarm_id)
        alarm = replace(found, life=states.acknowledged(found.life, at, by))
        if alarm != found:
            self._alarms[(alarm.code, alarm.source)] = alarm
            self._keep([alarm], at, by=by, comment=comment)
        return alarm

    def listed(self) -> list[Alarm]:
        """Alarms that are not normal, worst first: priority, unacknowledged before seen, newest first."""
        order = list(AlarmState)
        open_ = [alarm for alarm in self._alarms.values() if alarm.life.state is not AlarmState.NORMAL]
        open_.sort(key=lambda alarm: alarm.life.raised_at or self._started, reverse=True)
        return sorted(open_, key=lambda alarm: (alarm.priority, order.index(alarm.life.state)))

    def _signals(self, picture: Picture, parts: Parts) -> Iterable[watch.Signal]:
        yield from watch.parts(parts, self._restarts, self._conditions, picture.at)
        yield from watch.lost(self._roster, picture, self._conditions)
        yield from storage(self._roster.site.name, picture, self._figures, self._conditions)
        for other in self.watches:
            yield from other(picture, self._conditions)
        if not picture.lost:  # suppressed by design: without telemetry every device would be silent
            yield from watch.limits(self._roster, picture, self._conditions)
            yield from watch.silent(self._roster, picture, self._conditions, self._listening)

    def _quiet(self, signal: watch.Signal) -> bool:
        """Nothing to follow: the condition is as it was; its latest value is kept for the eye only."""
        before = self._conditions.get(signal.key, Condition())
        self._conditions[signal.key] = signal.condition
        if signal.condition.active and before.active:
            self._refresh(signal)
        return signal.condition.active is before.active and not signal.pulse

    def _refresh(self, signal: watch.Signal) -> None:
        alarm = self._alarms.get(signal.key)
        if alarm:
            self._alarms[signal.key] = replace(alarm, params={**alarm.params, **signal.params})

    def _follow(self, signal: watch.Signal, at: datetime) -> list[Alarm]:
        """The alarm after its condition changed, told as it last stood; a pulse is a raise and a return."""
        known = self._alarms.get(signal.key)
        life = known.life if known else Life()
        steps = _lives(life, signal, at)
        told = signal.params if signal.condition.active or signal.pulse or not known else known.params
        after = [
            Alarm(signal.code, signal.source, signal.priority, signal.group, told, step)
            for step in steps
            if step != life
        ]
        if after:
            self._alarms[signal.key] = after[-1]
        return after

    def _keep(self, changed: Sequence[Alarm], at: datetime, by: str = "control", comment: str = "") -> None:
        if changed:
            self._records.merge([_row(alarm) for alarm in changed])
            self._records.add(
                [
                    AlarmEventRow(at=at, alarm_id=alarm.id, state=alarm.life.state, by=by, comment=comment)
                    for alarm in changed
                ]
            )


def _lives(life: Life, signal: watch.Signal, at: datetime) -> list[Life]:
    if signal.pulse:
        up = states.raised(life, at)
        return [up, states.returned(up, at)]
    return [states.raised(life, at) if signal.condition.active else states.returned(life, at)]


def _row(alarm: Alarm) -> AlarmRow:
    life = alarm.life
    return AlarmRow(
        id=alarm.id,
        code=alarm.code,
        source=alarm.source,
        group=alarm.group,
        priority=alarm.priority,
        params=alarm.params,
        state=life.state,
        raised_at=life.raised_at,
        returned_at=life.returned_at,
        acknowledged_at=life.acknowledged_at,
        acknowledged_by=life.acknowledged_by,
        occurrences=life.occurrences,
    )


def _alarm(row: AlarmRow) -> Alarm:
    life = Life(
        AlarmState(row.state),
        row.raised_at,
        row.returned_at,
        row.acknowledged_at,
        row.acknowledged_by,
        row.occurrences,
    )
    return Alarm(row.code, row.source, row.priority, row.group, dict(row.params), life)
