"""The audit for others: lines with their hashes, and the whole of an incident for a 24-hour report."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from igoudar.control.records.audit import Verdict, verify
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ActionRow, AlarmEventRow, AlarmRow, ModeRow
from igoudar.control.records.versions import versions
from igoudar.core.i18n import render

SCHEMA = 1
COLUMNS = (
    "number", "at", "who", "verb", "target", "before", "after", "code", "params", "reason", "result",
    "config_version", "previous", "hash",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so


def line(row: ActionRow) -> dict[str, Any]:
    """One line of the audit; `reason` is the English of `code` and is not hashed."""
    return {
        "number": row.id,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "who": row.who,
        "verb": row.verb,
        "target": row.target,
        "before": row.before,
        "after": row.after,
        "code": row.code,
        "params": row.params,
        "reason": render(row.code, row.params),
        "result": row.result,
        "config_version": row.config_version,
        "previous": row.previous,
        "hash": row.hash,
    }


def as_json(rows: Iterable[ActionRow]) -> str:
    """A JSON document per line, oldest first."""
    return "".join(json.dumps(line(row), ensure_ascii=False) + "\n" for row in rows)


def as_csv(rows: Iterable[ActionRow]) -> str:
    """A table for a spreadsheet; cells that it would compute are quoted with an apostrophe."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for row in rows:
        found = line(row) | {"params": json.dumps(row.params, ensure_ascii=False)}
        table.writerow([_cell(found[name]) for name in COLUMNS])
    return out.getvalue()


def incident(records: Records, since: datetime, until: datetime, site: str) -> dict[str, Any]:
    """All that the records know of a period, with a look at whether the audit is whole."""
    return {
        "schema": SCHEMA,
        "kind": "incident",
        "site": site,
        "from": since.isoformat(),
        "to": until.isoformat(),
        "made_at": datetime.now(UTC).isoformat(),
        "audit": _verdict(verify(records)),
        "actions": [line(row) for row in reversed(records.actions(None, since=since, until=until))],
        "alarms": _alarms(records, since, until),
        "modes": [_plain(row) for row in _within(records, ModeRow, since, until)],
        "configurations": [
            {"version": row.version, "first_at": row.first_at.isoformat(), "last_at": row.last_at.isoformat()}
            for row in versions(records)
        ],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "whole": verdict.whole,
        "rows": verdict.end.number,
        "hash": verdict.end.hash,
        "whole_to": verdict.whole_to,
        "anchored": verdict.anchored,
        "problems": [{"code": p.code, "english": render(p.code, p.params)} for p in verdict.problems],
    }


def _alarms(records: Records, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Each step of an alarm's life within the period, with what the alarm was."""
    known = {row.id: row for row in records.alarms()}
    steps = _within(records, AlarmEventRow, since, until)
    return [_plain(step) | _alarm(known.get(step.alarm_id)) for step in steps]


def _alarm(row: AlarmRow | None) -> dict[str, Any]:
    if row is None:
        return {}
    english = render(f"alarms.{row.code}", row.params)
    return {"code": row.code, "source": row.source, "priority": row.priority, "english": english}


def _within(records: Records, model: Any, since: datetime, until: datetime) -> list[Any]:
    query = select(model).where(model.at >= since, model.at < until).order_by(model.id)
    return records.rows(query)


def _plain(row: Any) -> dict[str, Any]:
    values: Mapping[str, Any] = {
        column.name: getattr(row, column.name) for column in type(row).__table__.columns
    }
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _cell(value: object) -> str:
    shown = "" if value is None else str(value)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
