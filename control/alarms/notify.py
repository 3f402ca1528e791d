"""Notifications through apprise: kept in the records until each target has taken them, once."""

import asyncio
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from unicodedata import category

import apprise
from apprise.decorators import notify as plugin
from apprise.manager_plugins import NotificationManager

from igoudar.control.alarms.digest import Notice
from igoudar.control.records.state import Records
from igoudar.control.records.tables import NoticeRow
from igoudar.core.errors import ConfigError, StoreError
from igoudar.core.i18n import render

LOG = logging.getLogger(__name__)

NAMED = 5  # sources spelled out in one notification
RETRY_S, RETRY_MAX_S = 1.0, 60.0  # wall seconds
Place = tuple[int, str]
"""Number of a notice and its target."""
LOCAL = {"terminal": "igoudarterminal://here", "file": "igoudarfile://here"}


def targets(state: Path) -> dict[str, str]:
    """Where notifications go: the terminal, a file, and the apprise URLs of `STATE/notify.urls` (one a line).

    URLs carry secrets, so that they come from a file and only their line numbers are ever recorded.
    """
    path = state / "notify.urls"
    lines = path.read_text().splitlines() if path.exists() else []
    urls = {f"line {n}": line.strip() for n, line in enumerate(lines, 1) if _is_url(line)}
    bad = [name for name, url in urls.items() if not apprise.Apprise.instantiate(url)]
    if bad:
        raise ConfigError(
            "not an apprise URL", where=f"{path}: {bad[0]}", fix="see apprise's list of services"
        )
    return {**LOCAL, **urls}


def _is_url(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def message(notice: Notice, lang: str) -> tuple[str, str]:
    """Title and body in a person's language."""
    texts = [render(f"alarms.{alarm.code}", alarm.params, lang) for alarm in notice.alarms[:NAMED]]
    more = len(notice.alarms) - len(texts)
    if more:
        texts.append(render("alarms.more", {"count": more}, lang))
    first = notice.alarms[0]
    actions = [render(f"alarms.{first.code}_action", first.params, lang)]
    title = {"priority": notice.priority, "count": len(notice.alarms), "text": texts[0]}
    code = "alarms.notice_one" if len(notice.alarms) == 1 else "alarms.notice_many"
    return render(code, title, lang), "\n".join(texts + actions)


class Notifier:
    """The outbox and its delivery; while the records take nothing, what is new goes out from memory."""

    def __init__(self, records: Records, state: Path, lang: str) -> None:
        self._records, self._lang = records, lang
        self._targets = targets(state)
        self._due = asyncio.Event()
        self.count = records.next_notice() - 1
        self._held: dict[Place, NoticeRow] = {}  # not in the records yet
        self._sent = set[Place]()  # delivered, and still open in the records
        self._unread = False  # the records could not be read
        _register(state / "notifications.jsonl")

    def post(self, notices: Sequence[Notice]) -> None:
        """Put notices into the outbox, one row per target."""
        for notice in notices:
            self.count += 1
            title, body = message(notice, self._lang)
            self._keep(notice, title, body)
        if notices:
            self._due.set()

    async def run(self) -> None:
        """Deliver until cancelled; what a target refuses is tried again, ever more slowly."""
        wait_s = RETRY_S
        while True:
            refused = await self.deliver() or self._unread
            wait_s = min(2 * wait_s, RETRY_MAX_S) if refused else RETRY_S
            self._due.clear()
            try:
                await asyncio.wait_for(self._due.wait(), wait_s if refused else None)
            except TimeoutError:
                continue

    async def deliver(self) -> int:
        """One pass over the outbox, oldest first; returns how many were refused."""
        refused: set[str] = set()
        for row in self._outbox():
            if row.target in refused:
                continue  # its order is kept: later ones wait for the earlier one
            row.attempts += 1
            row.delivered = _place(row) in self._sent or await self._send(row)
            if not row.delivered:
                refused.add(row.target)
            self._note(row)
        return len(refused)

    def _keep(self, notice: Notice, title: str, body: str) -> None:
        """Into the records; that these take nothing must be told as well."""

        def rows() -> list[NoticeRow]:
            return [self._row(notice, title, body, target, self.count) for target in self._targets]

        try:
            self._records.add(rows())
            waits = bool(self._records.trouble)
        except StoreError as error:
            LOG.error("a notification can't be kept: %s", error)
            waits = True
        if waits:
            self._held.update((_place(row), row) for row in rows())

    def _outbox(self) -> list[NoticeRow]:
        """What is not delivered, oldest first."""
        try:
            kept = self._records.open_notices()
            self._unread = False
        except StoreError as error:
            LOG.warning("notifications can't be read: %s", error)
            self._unread = True
            return list(self._held.values())
        places = {_place(row) for row in kept}
        if not self._records.trouble:
            self._sent &= places
        held = [row for place, row in self._held.items() if place not in places]
        self._held = {_place(row): row for row in held}
        return sorted((*kept, *held), key=lambda row: row.number)

    def _note(self, row: NoticeRow) -> None:
        """It was tried: into the records where these have it."""
        if row.delivered:
            self._sent.add(_place(row))
        if _place(row) in self._held:
            if row.delivered:
                del self._held[_place(row)]
            return
        try:
            self._records.merge([row])
        except StoreError as error:
            LOG.warning("a delivery can't be noted: %s", error)

    async def _send(self, row: NoticeRow) -> bool:
        url = self._targets.get(row.target)
        if url is None:
            return True  # the target was removed; nobody waits for this any more
        sender = apprise.Apprise()
        sender.add(url, tag=str(row.at.isoformat()))
        return bool(await asyncio.to_thread(sender.notify, body=row.body, title=row.title))

    @staticmethod
    def _row(notice: Notice, title: str, body: str, target: str, number: int) -> NoticeRow:
        return NoticeRow(
            at=notice.at,
            number=number,
            target=target,
            title=title,
            body=body,
            priority=notice.priority,
            attempts=0,
            delivered=False,
        )


def _place(row: NoticeRow) -> Place:
    return row.number, row.target


def _register(path: Path) -> None:
    """Teach apprise our two local targets."""

    def to_terminal(body: str, title: str, *_args: object, **_more: object) -> bool:
        return _print(title, body)

    def to_file(body: str, title: str, *_args: object, **_more: object) -> bool:
        return _append(path, {"title": title, "body": body})

    for name, target in (("terminal", to_terminal), ("file", to_file)):
        NotificationManager().remove(f"igoudar{name}", unload=False)  # type: ignore[no-untyped-call] # apprise has no types
        plugin(on=f"igoudar{name}")(target)  # type: ignore[no-untyped-call]


def _print(title: str, body: str) -> bool:
    """Names in alarms may be hostile: control characters never reach the terminal."""
    text = "".join(
        c if c.isprintable() or c == "\n" or category(c) == "Zs" else "?" for c in f"{title}\n{body}\n"
    )
    sys.stderr.write(text)
    sys.stderr.flush()
    return True


def _append(path: Path, document: Mapping[str, str]) -> bool:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": datetime.now().astimezone().isoformat(), **document}) + "\n")
    except OSError:
        return False  # a full disk: kept in the outbox, tried again
    return True
