"""`igoudar store ...`, as a person runs it."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from igoudar.app import store_cli
from igoudar.core.errors import ConfigError, StoreError
from igoudar.core.i18n import codes
from igoudar.core.model import Gap, Quality, Reading, Reason
from igoudar.core.store import export
from igoudar.core.store.parquet import ParquetStore

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def run(*words: str | Path) -> Result:
    app = typer.Typer()
    store_cli.add_commands(app)
    return CliRunner().invoke(app, ["store", *(str(word) for word in words)])


def answer(*words: str | Path) -> dict[str, Any]:
    result = run(*words, "--json")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return dict(json.loads(result.stdout))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Two hours of a meter and a device with a hostile name."""
    with ParquetStore.open(tmp_path / "state" / "store") as store:
        for minute in range(0, 120, 10):
            at = START + timedelta(minutes=minute)
            odd = Reading(at, "=cmd|'/c x'!A1,1", {"active_power_w": float(minute)}, source_at=at)
            store.append([Reading(at, "pdu-1", {"active_power_w": 1e3, "energy_wh": minute * 100.0}), odd])
        store.append([Reading(at + timedelta(minutes=1), "pdu-1", {}, gap=Gap(Reason.TIMEOUT))])
        flags = {"active_power_w": (Quality.BAD, Reason.SENTINEL)}
        store.append([Reading(at + timedelta(minutes=2), "pdu-1", {"energy_wh": 1.0}, flags)])
    return tmp_path / "state"


def test_stats_count_what_is_there(state: Path) -> None:
    found = answer("stats", "--state", state)
    assert (found["devices"], found["series"], found["hours_not_rolled_up"]) == (2, 3, 2)
    assert sum(tier["rows"] for tier in found["tiers"]) == 12 * 3 + 1 + 2
    assert "UTC" in run("stats", "--state", state, "--lang", "fr").stdout


def test_compact_rolls_everything_up_and_verify_agrees(state: Path) -> None:
    assert answer("compact", "--state", state, "--dry-run")["hours"] == 2
    answer("compact", "--state", state)
    assert answer("stats", "--state", state)["hours_not_rolled_up"] == 0
    assert answer("verify", "--state", state)["damaged"] == []
    victim = next((state / "store" / "minute").rglob("*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-1])
    result = run("verify", "--state", state)
    assert result.exit_code == 1
    assert victim.name in result.stdout


def test_compact_leaves_a_store_alone_that_another_process_writes(state: Path) -> None:
    with ParquetStore.open(state / "store"), pytest.raises(StoreError, match="another process"):
        answer("compact", "--state", state)


@pytest.mark.parametrize("tier", ["raw", "minute", "quarter"])
def test_every_tier_is_exported_to_parquet_compacted_or_not(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tier: str
) -> None:
    monkeypatch.setattr(export, "BLOCK", 2)
    first = answer("export", tmp_path / "a.parquet", "--state", state, "--parquet", "--tier", tier)
    answer("compact", "--state", state)
    second = answer("export", tmp_path / "b.parquet", "--state", state, "--parquet", "--tier", tier)
    frame = pl.read_parquet(tmp_path / "a.parquet")
    assert frame.equals(pl.read_parquet(tmp_path / "b.parquet"))
    assert first["rows"] == second["rows"] == frame.height
    assert set(frame["point"]) == {"active_power_w", "energy_wh", "_gap"}
    assert not list(tmp_path.glob("*.part"))


def test_a_window_and_a_device_narrow_the_export(state: Path, tmp_path: Path) -> None:
    window = ("--start", "2026-11-22T06:30", "--end", "2026-11-22T07:00", "--device", "pdu-1")
    answer("export", tmp_path / "a.parquet", "--state", state, "--parquet", *window)
    frame = pl.read_parquet(tmp_path / "a.parquet")
    assert set(frame["device"]) == {"pdu-1"}
    assert frame["time"].min() == START + timedelta(minutes=30)
    assert frame["time"].max() == START + timedelta(minutes=50)


def test_a_csv_holds_no_formula(state: Path, tmp_path: Path) -> None:
    answer("export", tmp_path / "a.csv", "--state", state, "--csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 39
    assert {row["device"] for row in rows} == {"pdu-1", "'=cmd|'/c x'!A1,1"}
    assert rows[0]["time"] == "2026-11-22T06:00:00.000000Z"


def test_lines_have_the_layout_of_our_influx_store(state: Path, tmp_path: Path) -> None:
    answer("export", tmp_path / "a.lp", "--state", state, "--line-protocol")
    lines = (tmp_path / "a.lp").read_text().splitlines()
    start_ns = round(START.timestamp()) * 10**9
    assert f"device,device=pdu-1,site=jazari-lab active_power_w=1000.0,energy_wh=0.0 {start_ns}" in lines
    assert any("gap__q=2i,gap__r=" in line for line in lines)
    bad = next(line for line in lines if "active_power_w__q=2i" in line)
    assert "active_power_w=" not in bad
    assert any(
        line.startswith("device,device==cmd".replace("==", "=\\=")) and "\\,1" in line for line in lines
    )


def test_an_export_without_a_format_or_a_store_makes_no_file(state: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="format"):
        answer("export", tmp_path / "x", "--state", state)
    with pytest.raises(ConfigError, match="tier"):
        answer("export", tmp_path / "x", "--state", state, "--csv", "--tier", "hour")
    with pytest.raises(StoreError, match="no store"):
        answer("export", tmp_path / "x", "--state", tmp_path / "empty", "--csv")
    assert not (tmp_path / "x").exists()


def test_every_text_is_in_both_languages() -> None:
    ours = {code for code in codes("en") if code.startswith("store.")}
    assert ours
    assert ours == {code for code in codes("fr") if code.startswith("store.")}
