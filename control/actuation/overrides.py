"""What people hold by hand: a point or a job, sticky until released or expired.

A row that can't be read still keeps everybody else off its point or job, which its key tells. What it held is
not known and not written again: a device goes back by its timer, and a person releases it and sets it anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from igoudar.control.actuation.guard.view import Slot
from igoudar.control.records.safety_tables import OverrideRow
from igoudar.control.records.state import Records
from igoudar.core.errors import StoreBusyError, StoreError

HOLD = timedelta(days=7)  # even a person's hold ends by itself
UNKNOWN = "?"
JOB_VERBS = ("hold", "delay", "suspend")  # stand in `point` for a job


@dataclass(slots=True)
class Overrides:
    """The overrides that hold now; every change is kept before it counts."""

    records: Records
    _rows: dict[Slot, OverrideRow] = field(default_factory=dict)

    @classmethod
    def open(cls, records: Records, now: datetime) -> "Overrides":
        """Those that a person has set and not released."""
        opened = cls(records)
        opened.read(now)
        return opened

    def read(self, now: datetime) -> None:
        """Hold what the records say now: another host may have written them.

        Raises:
            StoreError: they can't be read, or not even whose point or job one is.
        """
        rows: list[OverrideRow] = self.records.readable(
            select(OverrideRow), lambda target, point: self._stand_in(target, point, now)
        )
        self._rows.clear()
        self._rows |= {(row.target, row.point): row for row in rows if row.until > now}

    def _stand_in(self, target: str, point: str, now: datetime) -> OverrideRow:
        """Held by nobody knows whom, without a value."""
        until = self._until(target, point) or now + HOLD
        return OverrideRow(
            target=target, point=point, value=None, at=now, until=until, who=UNKNOWN, reason=UNKNOWN
        )

    def _until(self, target: str, point: str) -> datetime | None:
        """Until when, where at least that can be read."""
        key = (OverrideRow.target == target) & (OverrideRow.point == point)
        try:
            (until,) = self.records.rows(select(OverrideRow.until).where(key))
        except StoreBusyError:
            raise
        except StoreError:
            return None
        return until if isinstance(until, datetime) else None

    def set(self, row: OverrideRow) -> None:
        """Hold a point, or a job in place of what was held of it before."""
        if row.point in JOB_VERBS:
            self.release_job(row.target, row.at)
        self.records.merge([row])
        self._rows[(row.target, row.point)] = row

    def release(self, target: str, point: str, at: datetime) -> OverrideRow | None:
        """Let go; None when nothing was held."""
        row = self._rows.pop((target, point), None)
        if row is None:
            return None
        self.records.merge([_ended(row, at)])
        return row

    def release_job(self, job_id: str, at: datetime) -> None:
        """Let go of a job, whatever was done to it."""
        for verb in JOB_VERBS:
            self.release(job_id, verb, at)

    def expire(self, now: datetime) -> list[OverrideRow]:
        """Forget and return those that have run out."""
        over = [key for key, row in self._rows.items() if row.until <= now]
        return [self._rows.pop(key) for key in over]

    def listed(self) -> list[OverrideRow]:
        """All that hold, the one that ends first first."""
        return sorted(self._rows.values(), key=lambda row: (row.until, row.target, row.point))

    def points(self) -> list[OverrideRow]:
        """Those of devices' points."""
        return [row for row in self.listed() if row.point not in JOB_VERBS]

    def jobs(self) -> Mapping[str, str]:
        """Job -> the verb that a person set."""
        return {row.target: row.point for row in self._rows.values() if row.point in JOB_VERBS}

    def slots(self) -> Mapping[Slot, datetime]:
        """As the guard sees them: slot -> until."""
        return {
            (row.target, "" if row.point in JOB_VERBS else row.point): row.until
            for row in self._rows.values()
        }


def _ended(row: OverrideRow, at: datetime) -> OverrideRow:
    return OverrideRow(
        target=row.target,
        point=row.point,
        value=row.value,
        at=row.at,
        until=min(row.until, at),
        who=row.who,
        reason=row.reason,
    )
