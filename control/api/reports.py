"""Answers that need the store: KPIs over any window, series for a chart, a rack's history."""

import asyncio
import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from igoudar.control import ledger as books_room
from igoudar.control.errors import UnknownNameError
from igoudar.control.ledger import Books, Ledger
from igoudar.control.roster import Roster
from igoudar.control.schema import Kpis, SeriesView
from igoudar.control.windows import cue_view, pue_view, share_view
from igoudar.core.errors import CommandError, StoreError
from igoudar.core.said import said
from igoudar.core.store.protocol import Series, TelemetryReader

UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
WIDTH_MAX = 4000
INLET_HISTORY, INLET_STEP = timedelta(hours=4), timedelta(minutes=5)


def window_length(word: str) -> timedelta | None:
    """15m, 24h, 7d ...; None for "run", everything there is.

    Raises:
        CommandError: for anything else.
    """
    if word == "run":
        return None
    match = re.fullmatch(r"(\d{1,4})([mhdw])", word)
    if match is None or int(match[1]) == 0:
        raise said(CommandError, "refusal.window", where="window", word=repr(word))
    return timedelta(seconds=int(match[1]) * UNITS_S[match[2]])


class Reports:
    """Reads the store in a thread, the ledger where it reaches far enough."""

    def __init__(self, roster: Roster, ledger: Ledger, books: Books, reader: TelemetryReader) -> None:
        self._roster, self._ledger, self._books, self._reader = roster, ledger, books, reader

    async def kpis(self, window: str, now: datetime, run_start: datetime | None) -> Kpis:
        """The KPI family over a window that ends now."""
        length = window_length(window)
        start = now - length if length else run_start or now
        ledger = await self._reaching(start, now)
        carbon = self._roster.site.grid.carbon_g_per_kwh
        views = [
            pue_view(ledger, self._books, start, now),
            share_view(ledger, self._books, start, now),
            cue_view(ledger, self._books, start, now, carbon),
        ]
        return Kpis(time=now, kpis=views)

    async def series(self, device: str, point: str, start: datetime, end: datetime, width: int) -> SeriesView:
        """One point over time, at most `width` steps."""
        self._check(device, point)
        if end <= start or not 1 <= width <= WIDTH_MAX:
            raise said(CommandError, "refusal.series", where=f"{device}/{point}", most=WIDTH_MAX)
        start, step = chart_steps(start, end, width)
        return await asyncio.to_thread(self._read, Series(device, point), start, end, step)

    async def inlet_history(
        self, sensors: Sequence[str], now: datetime
    ) -> list[tuple[datetime, float | None]]:
        """The last 4 h of a rack's inlet [C]; empty while there is no store yet."""
        if not sensors:
            return []
        series = Series(sensors[0], "inlet_c")
        try:
            view = await asyncio.to_thread(self._read, series, now - INLET_HISTORY, now, INLET_STEP)
        except StoreError:
            return []
        return list(zip(view.time, view.mean, strict=True))

    async def _reaching(self, start: datetime, end: datetime) -> Ledger:
        span = self._ledger.span(self._books.all)
        if span is None or span[0] <= start or end - start < books_room.KEPT - timedelta(hours=1):
            return self._ledger
        gap_s = self._ledger.gap_s
        return await asyncio.to_thread(books_room.load, self._books, self._reader, start, end, gap_s)

    def _read(self, series: Series, start: datetime, end: datetime, step: timedelta) -> SeriesView:
        frame = self._reader.downsample([series], start, end, step).sort("time")
        rows = {row["time"]: row for row in frame.iter_rows(named=True)}
        return SeriesView(
            device=series.device,
            point=series.point,
            step_s=step.total_seconds(),
            time=list(rows),
            mean=[row["mean"] for row in rows.values()],
            low=[row["min"] for row in rows.values()],
            high=[row["max"] for row in rows.values()],
        )

    def _check(self, device: str, point: str) -> None:
        known = self._roster.devices.get(device)
        profile = self._roster.profiles.get(known.profile) if known else None
        if profile is None or point not in profile.points:
            raise said(UnknownNameError, "refusal.no_series", where=f"{device}/{point}")


def chart_steps(start: datetime, end: datetime, width: int) -> tuple[datetime, timedelta]:
    """Where at most `width` steps over a window begin, and how long they are.

    Long ones fall on whole minutes or quarters of an hour, where the store's roll-ups answer.
    """
    seconds = max(1, math.ceil((end - start).total_seconds() / width))
    unit = next((unit for unit in (900, 60) if seconds > unit), 1)
    begin = datetime.fromtimestamp(start.timestamp() // unit * unit, start.tzinfo) if unit > 1 else start
    return begin, timedelta(seconds=math.ceil((end - begin).total_seconds() / width / unit) * unit)
