from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from igoudar.control.weather_file import read_bulletins, supply_outlook
from igoudar.core.errors import ConfigError

HEAD = "issued,time,wind_mps,ghi_wm2\n"
SIX_H = int(datetime(2026, 1, 31, 6, tzinfo=UTC).timestamp()) // 3600


def written(folder: Path, rows: str, name: str = "weather.csv") -> Path:
    file = folder / name
    file.write_text(rows)
    return file


def two_bulletins(folder: Path) -> Path:
    rows = [f"2026-01-31T06:00:00Z,2026-01-31T{hour:02}:00:00Z,7.0,500" for hour in range(6, 12)]
    rows += [f"2026-01-31T12:00:00Z,2026-01-31T{hour:02}:00:00Z,30.0,250" for hour in range(12, 15)]
    return written(folder, HEAD + "\n".join(rows))


def test_only_bulletins_issued_by_then_are_read(tmp_path: Path) -> None:
    wind = read_bulletins(two_bulletins(tmp_path))["wind_mps"]
    assert np.isnan(wind.at(SIX_H - 1)).all()
    assert wind.at(SIX_H + 5)[0] == 7.0
    assert np.isnan(wind.at(SIX_H + 5)[1])  # the next bulletin speaks of it, but not yet
    assert wind.at(SIX_H + 6)[0] == 30.0


def test_wind_speed_and_irradiance_become_shares_of_the_rating(tmp_path: Path) -> None:
    outlook = supply_outlook(read_bulletins(two_bulletins(tmp_path)))
    assert outlook["wind"].at(SIX_H)[0] == pytest.approx(0.27)
    assert outlook["wind"].at(SIX_H + 6)[0] == 0.0  # a storm stops the turbines
    assert outlook["pv"].at(SIX_H)[0] == pytest.approx(0.5)


def test_parquet_reads_as_csv_does(tmp_path: Path) -> None:
    csv = two_bulletins(tmp_path)
    pl.read_csv(csv, try_parse_dates=True).write_parquet(tmp_path / "weather.parquet")
    both = [read_bulletins(file)["ghi_wm2"].values for file in (csv, tmp_path / "weather.parquet")]
    np.testing.assert_array_equal(*both)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("issued,wind_mps\n2026-01-31T06:00:00Z,3\n", "no column time"),
        ("issued,time,rain\n2026-01-31T06:00:00Z,2026-01-31T06:00:00Z,3\n", "no column of a quantity"),
        (HEAD + "2026-01-31T06:00:00Z,2026-01-31T06:00:00Z,3,1\nnow,later,3,1\n", ":3: no time in column"),
        (HEAD, "no rows"),
    ],
)
def test_what_cannot_be_used_is_refused_by_line(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_bulletins(written(tmp_path, rows))


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        read_bulletins(tmp_path / "none.csv")
