"""Reading the store from any process while another writes it."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import polars as pl

from igoudar.core.model import Quality, Reading
from igoudar.core.store.latest import fold_latest, newest_rows, read_latest
from igoudar.core.store.protocol import Series
from igoudar.core.store.query import Span, Window, plan_of
from igoudar.core.store.rollup import EMPTY_ROLLS, as_buckets, energy_kinds, fullest, roll_up, with_good_share
from igoudar.core.store.rows import EMPTY_ROWS, from_us, newest_of_each, to_readings, to_us
from igoudar.core.store.segments import Segment, is_whole
from igoudar.core.store.series import GAP_POINT, POINTS_PER_DEVICE, SeriesBook, book_files
from igoudar.core.store.tiers import RAW, Tier
from igoudar.core.store.view import ATTEMPTS, View, busy, current_view

log = logging.getLogger(__name__)

T = TypeVar("T")

DOWNSAMPLED = ("device", "point", "time", "mean", "min", "max", "last", "good_share")


class ParquetReader:
    """A `TelemetryReader` over a store folder; keeps no file open between calls."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book = SeriesBook()
        self._whole: dict[Segment, bool] = {}

    def latest(self, devices: Collection[str] | None = None) -> Mapping[str, Reading]:
        """The newest stored reading of each device (all devices when None)."""
        return self._consistently(lambda view: self._latest(view, devices))

    def range(self, series: Sequence[Series], start: datetime, end: datetime) -> pl.DataFrame:
        """Samples in [start, end): device, point, time (UTC), value (null when bad), quality, reason."""
        return self._consistently(lambda view: self._range(view, series, to_us(start), to_us(end)))

    def downsample(
        self, series: Sequence[Series], start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        """Good values per step from `start` on: device, point, time, mean, min, max, last, good_share.

        A step without a good value has no row. `good_share` counts the device's gaps as samples that were not
        good. Roll-ups answer where `start` and `step` fall on their bounds, and where the samples are gone.
        """
        return self.rollup(series, start, end, step).select(*DOWNSAMPLED)

    def rollup(
        self, series: Sequence[Series], start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        """As `downsample`, with good (how many samples) and energy_wh (null for other quantities).

        Energy counts from the last good sample of the step before, so that those of neighbours add up.
        """
        window = Window(to_us(start), to_us(end), max(1, step // timedelta(microseconds=1)))
        return self._consistently(lambda view: self._rollup(view, series, window))

    def numbers(self, devices: Collection[str] | None = None) -> list[int]:
        """Series numbers of some devices, gaps included, or of all; sorted."""
        book = self._newest_book().frame()
        wanted = book if devices is None else book.filter(pl.col("device").is_in(list(devices)))
        return wanted.get_column("series").sort().to_list()

    def hours(self, tier: Tier) -> list[int]:
        """Hours since 1970 that hold samples, or of a roll-up's tier anything, oldest first."""
        view = self._consistently(lambda view: view)
        of_tier = [one for one in view.files if one.tier in (tier, RAW)]
        return sorted({hour for one in of_tier for hour in one.hours})

    def block(self, tier: Tier, numbers: Sequence[int], start_us: int, end_us: int) -> pl.DataFrame:
        """Samples or roll-ups of some series in a part of an hour, with names and times."""
        return self._consistently(lambda view: self._block(view, tier, numbers, (start_us, end_us)))

    def last_time(self) -> datetime | None:
        """Received time of the newest sample, None in an empty store."""
        segments = self._consistently(lambda view: view.segments)
        return from_us(max(segment.last_us for segment in segments)) if segments else None

    def _newest_book(self) -> SeriesBook:
        if (files := book_files(self._path)) and files[-1][0] != self._book.version:
            self._book = SeriesBook.load(self._path)
        return self._book

    def _consistently(self, read: Callable[[View], T]) -> T:
        for _ in range(ATTEMPTS):
            try:
                view = current_view(self._path)
                self._forget_replaced(view)
                return read(view)
            except (FileNotFoundError, pl.exceptions.PolarsError) as error:
                log.debug("looking again: %s", error)
                self._whole.clear()
        raise busy(self._path)

    def _forget_replaced(self, view: View) -> None:
        if len(self._whole) > 2 * len(view.files) + 1000:
            self._whole = {segment: self._whole[segment] for segment in view.files if segment in self._whole}

    def _scan(self, segments: Sequence[Segment], empty: pl.DataFrame = EMPTY_ROWS) -> pl.LazyFrame:
        paths = [segment.path(self._path) for segment in segments if self._is_whole(segment)]
        return pl.scan_parquet(paths) if paths else empty.lazy()

    def _is_whole(self, segment: Segment) -> bool:
        """Check a file's hash once per reader: a flipped bit must cost a segment, not become a number."""
        if segment not in self._whole:
            self._whole[segment] = is_whole(self._path, segment)
            if not self._whole[segment]:
                log.warning("store segment %s is damaged and left out", segment.name)
        return self._whole[segment]

    def _range(self, view: View, series: Sequence[Series], start_us: int, end_us: int) -> pl.DataFrame:
        names = self._numbered(series)
        numbers = sorted(names)
        rows = newest_of_each(self._rows(view.segments, numbers, start_us, end_us, EMPTY_ROWS))
        return _named(rows, names).select("device", "point", "time", "value", "quality", "reason")

    def _numbered(self, series: Iterable[Series]) -> dict[int, Series]:
        book = self._newest_book()
        return {number: one for one in series if (number := book.find(*one)) is not None}

    def _rows(
        self,
        segments: Iterable[Segment],
        numbers: Sequence[int],
        start_us: int,
        end_us: int,
        empty: pl.DataFrame,
    ) -> pl.DataFrame:
        """Rows of some series in [start, end), in the order of the segments."""
        near = [one for one in segments if one.overlaps(start_us, end_us) and one.holds_any(numbers)]
        in_time = pl.col("time_us").is_between(start_us, end_us, closed="left")
        return self._scan(near, empty).filter(in_time & _any_of(numbers)).collect()

    def _rollup(self, view: View, series: Sequence[Series], window: Window) -> pl.DataFrame:
        wanted = [*series, *{Series(device, GAP_POINT) for device, _ in series}]
        names = self._numbered(wanted)
        numbers = sorted(names)
        kinds = energy_kinds(_name_frame(names))
        plan = plan_of(view, window, numbers, self._is_whole)
        parts = [self._part(view, span, numbers, kinds) for span in plan]
        buckets = pl.concat(parts).sort("series", "time_us") if parts else EMPTY_ROLLS
        stepped = roll_up(buckets, kinds, window.step_us, window.start_us, seams=True)
        return _named(with_good_share(stepped), names).select(*DOWNSAMPLED, "good", "energy_wh")

    def _block(self, view: View, tier: Tier, numbers: Sequence[int], bounds: tuple[int, int]) -> pl.DataFrame:
        book = self._newest_book().frame().filter(_any_of(numbers))
        if tier is RAW:
            rows = newest_of_each(self._rows(view.segments, numbers, *bounds, EMPTY_ROWS))
        else:
            rows = self._part(view, Span(*bounds, tier, with_samples=True), numbers, energy_kinds(book))
        time = pl.from_epoch("time_us", time_unit="us").dt.replace_time_zone("UTC").alias("time")
        return rows.join(book, on="series", maintain_order="left").with_columns(time)

    def _part(self, view: View, span: Span, numbers: Sequence[int], kinds: pl.DataFrame) -> pl.DataFrame:
        """Buckets of one span of the plan."""
        bounds = (span.start_us, span.end_us)
        rolled = [one for one in view.manifest.rolled if one.tier is span.tier]
        if not span.with_samples:
            return fullest(self._rows(rolled, numbers, *bounds, EMPTY_ROLLS))
        rows = newest_of_each(self._rows(view.segments, numbers, *bounds, EMPTY_ROWS))
        if span.tier is RAW:
            return as_buckets(rows)
        fresh = roll_up(as_buckets(rows), kinds, span.tier.step_us)
        return fullest(pl.concat([self._rows(rolled, numbers, *bounds, EMPTY_ROLLS), fresh]))

    def _latest(self, view: View, devices: Collection[str] | None) -> dict[str, Reading]:
        book = self._newest_book()
        former = read_latest(self._path, view.manifest.latest)
        if former is None:
            log.warning("%s is damaged: all segments are read instead", view.manifest.latest)
            former = fold_latest(self._path, view.manifest.cold)
        rows = pl.concat([former.lazy(), self._scan(view.hot)])
        if devices is not None:
            known = book.devices
            wanted = [known[device] for device in devices if device in known]
            rows = rows.filter((pl.col("series") // POINTS_PER_DEVICE).is_in(wanted))
        return to_readings(newest_rows(rows.collect()), book)


def _any_of(numbers: Sequence[int]) -> pl.Expr:
    if not numbers:
        return pl.lit(False)
    series = pl.col("series")
    # The bounds let polars skip row groups by their statistics.
    return series.is_between(numbers[0], numbers[-1]) & series.is_in(numbers)


def _name_frame(names: Mapping[int, Series]) -> pl.DataFrame:
    known = [(number, *one) for number, one in names.items()]
    schema = {"series": pl.UInt32(), "device": pl.String(), "point": pl.String()}
    return pl.DataFrame(known, schema=schema, orient="row")


def _named(rows: pl.DataFrame, names: Mapping[int, Series]) -> pl.DataFrame:
    time = pl.from_epoch("time_us", time_unit="us").dt.replace_time_zone("UTC").alias("time")
    return rows.join(_name_frame(names), on="series", maintain_order="left").with_columns(time)


def fold(rows: pl.DataFrame, start: datetime, step: timedelta) -> pl.DataFrame:
    """Aggregate named rows, sorted by time within each series, over steps that begin at `start`."""
    step_us = step // timedelta(microseconds=1)
    since_us = (pl.col("time") - pl.lit(start)).dt.total_microseconds()
    stepped = rows.with_columns(time=pl.lit(start) + pl.duration(microseconds=since_us // step_us * step_us))
    gaps = stepped.filter(pl.col("point") == GAP_POINT).group_by("device", "time").agg(gaps=pl.len())
    samples = stepped.filter(pl.col("point") != GAP_POINT)
    good = pl.col("value").filter(pl.col("quality") == Quality.GOOD)
    return (
        samples.group_by("device", "point", "time", maintain_order=True)
        .agg(
            mean=good.mean(),
            min=good.min(),
            max=good.max(),
            last=good.last(),
            good=good.len(),
            samples=pl.len(),
        )
        .filter(pl.col("good") > 0)
        .join(gaps, on=("device", "time"), how="left", maintain_order="left")
        .with_columns(good_share=pl.col("good") / (pl.col("samples") + pl.col("gaps").fill_null(0)))
        .select("device", "point", "time", "mean", "min", "max", "last", "good_share")
    )
