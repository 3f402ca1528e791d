"""Readings that are not kept raise an alarm, once, in both languages, and it returns."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.control.alarms.engine import AlarmEngine
from igoudar.control.picture import Picture
from igoudar.control.records.state import Records
from igoudar.control.roster import roster
from igoudar.core.i18n import render
from igoudar.core.model import Site

T0 = datetime(2026, 3, 1, tzinfo=UTC)
WELL = {
    "collector_store_down_s": 0.0,
    "collector_spool_bytes": 1e6,
    "collector_spool_limit_bytes": 1e9,
    "collector_spool_refuses": 0.0,
    "collector_dropped_readings_total": 0.0,
    "collector_quarantined_readings_total": 0.0,
}
SITE = Site("s", "S", 0, 0, 0, "UTC", (), (), (), ())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[AlarmEngine]:
    records = Records.open(tmp_path / "state.sqlite")
    yield AlarmEngine(roster(SITE, {}, 1.0), records, T0)
    records.close()


def raised(engine: AlarmEngine, second: float, **figures: float) -> list[str]:
    collector = {**WELL, **{f"collector_{name}": value for name, value in figures.items()}}
    at = T0 + timedelta(seconds=second)
    return [alarm.code for alarm in engine.evaluate(Picture(at, collector=collector), {})]


def open_codes(engine: AlarmEngine) -> set[str]:
    return {alarm.code for alarm in engine.listed() if alarm.life.active}


def test_a_store_that_takes_nothing_is_an_alarm_after_half_a_minute(engine: AlarmEngine) -> None:
    assert raised(engine, 0) == []
    assert raised(engine, 10, store_down_s=10.0) == []
    assert raised(engine, 40, store_down_s=40.0) == ["store_down"]
    assert raised(engine, 50, store_down_s=50.0) == []
    raised(engine, 60)
    assert open_codes(engine) == set()


@pytest.mark.parametrize("trouble", [{"spool_bytes": 0.95e9}, {"spool_refuses": 1.0}])
def test_lesson_19_a_spool_that_is_full_or_can_not_be_written_is_an_alarm(
    engine: AlarmEngine, trouble: dict[str, float]
) -> None:
    raised(engine, 0)
    assert raised(engine, 10, **trouble) == ["spool_full"]
    raised(engine, 20)
    assert open_codes(engine) == {"spool_full"}
    for second in (30, 640):
        raised(engine, second)
    assert open_codes(engine) == set()


def test_lesson_19_every_loss_is_an_alarm_also_after_a_restart_of_the_collector(engine: AlarmEngine) -> None:
    raised(engine, 0)
    assert raised(engine, 10, dropped_readings_total=5.0) == ["spool_full"]
    for second in (20, 700, 1400):
        assert raised(engine, second, dropped_readings_total=5.0) == []
    assert open_codes(engine) == set()
    assert raised(engine, 1500, dropped_readings_total=3.0) == ["spool_full"]


def test_lesson_19_readings_that_are_refused_for_ever_are_an_alarm(engine: AlarmEngine) -> None:
    raised(engine, 0)
    assert raised(engine, 10, quarantined_readings_total=2.0) == ["readings_refused"]
    assert raised(engine, 20, quarantined_readings_total=2.0) == []


def test_without_the_collector_nothing_is_known_of_the_store(engine: AlarmEngine) -> None:
    raised(engine, 0, store_down_s=60.0)
    engine.evaluate(Picture(T0 + timedelta(seconds=10), lost=True), {})
    assert "store_down" in open_codes(engine)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_alarms_are_said_with_their_figures(engine: AlarmEngine, lang: str) -> None:
    raised(engine, 0, store_down_s=90.0, spool_bytes=0.95e9, quarantined_readings_total=2.0)
    texts = {a.code: render(f"alarms.{a.code}", a.params, lang) for a in engine.listed()}
    assert set(texts) == {"store_down", "spool_full", "readings_refused"}
    assert "95" in texts["spool_full"]
    assert "{" not in "".join(texts.values())
