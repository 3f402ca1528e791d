"""`/metrics` as Prometheus itself reads it."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.collectors.rigs import START, device
from tests.collectors.test_service import site

from igoudar.collectors import service
from igoudar.collectors.profiles import load_profiles
from igoudar.control.api.figures import COLLECTOR
from igoudar.control.api.metrics import exposition
from igoudar.core.clock import ManualClock
from igoudar.core.model import Gap, Reading, Reason
from igoudar.core.store.parquet import ParquetStore

NOT_BASE_UNITS = re.compile(r"_(s|ms|mb|kb|ppm|pct|w|wh|minutes|percent)(_total)?$")


@pytest.fixture
def figures(tmp_path: Path) -> dict[str, float]:
    """What a collector says of itself after a good reading and two gaps."""
    profiles = load_profiles()
    plan = site(device("m", profiles["schneider-iem3000"]), device("i", profiles["sunspec-inverter"]))
    store = ParquetStore.open(tmp_path / "store")
    collector = service.Collector(plan, profiles, ManualClock(START), store, tmp_path)
    collector.take(Reading(START, "m", {"active_power_w": 1.0, "frequency_hz": 50.0}))
    for reason in (Reason.TIMEOUT, Reason.BUSY):
        collector.take(Reading(START, "i", {}, gap=Gap(reason)))
    store.close()
    collector.actuator.close()
    return collector.metrics()


def test_every_figure_is_described_typed_and_named_well(figures: dict[str, float]) -> None:
    families = list(text_string_to_metric_families(exposition(None, figures)))
    assert len(families) > 30
    for family in families:
        assert family.name.startswith("igoudar_"), family.name
        assert family.documentation.endswith("."), family.name
        assert family.type in ("counter", "gauge"), family.name
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name
            assert not NOT_BASE_UNITS.search(sample.name), sample.name


def test_every_figure_of_the_collector_has_words_of_its_own(figures: dict[str, float]) -> None:
    names = {name.partition("{")[0].removeprefix("collector_") for name in figures}
    assert names <= set(COLLECTOR)


def test_gaps_have_causes_and_memory_is_in_bytes(figures: dict[str, float]) -> None:
    families = {f.name: f for f in text_string_to_metric_families(exposition(None, figures))}
    causes = {s.labels["cause"]: s.value for s in families["igoudar_collector_gaps_by_cause"].samples}
    assert causes == {"timeout": 1.0, "busy": 1.0}
    assert families["igoudar_collector_values"].samples[0].value == 2.0
    (memory,) = families["igoudar_collector_peak_memory_bytes"].samples
    assert memory.value == figures["collector_rss_mb"] * 2**20


def test_a_large_counter_keeps_its_last_digit() -> None:
    page = exposition(None, {"collector_points_total": 123_456_789_012.0, "collector_lag_s": 0.25})
    assert "igoudar_collector_values_total 123456789012\n" in page
    assert "igoudar_collector_lag_seconds 0.25\n" in page


def test_a_figure_nobody_described_is_still_well_formed() -> None:
    (family,) = text_string_to_metric_families(exposition(None, {"collector_new_things_total": 3.0}))
    assert (family.name, family.type) == ("igoudar_collector_new_things", "counter")
