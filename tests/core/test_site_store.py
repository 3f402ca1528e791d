"""What a site file may say of its store, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model import StoreChoice
from igoudar.core.site import load_site
from igoudar.core.site_file import Keeping
from igoudar.core.site_store import check_store
from igoudar.core.store.choice import open_reader, open_store
from igoudar.core.store.influx import InfluxStore
from igoudar.core.store.influx_reader import InfluxReader
from igoudar.core.store.parquet import ParquetStore
from igoudar.core.strict_toml import bind

INFLUX = {"kind": "influx", "url": "https://influx.lan:8086", "bucket": "lab", "token_file": "/run/token"}


def problems(table: Mapping[str, object]) -> list[str]:
    return [str(problem) for problem in check_store(bind(table, Keeping, "site.toml"), "site.toml")]


def test_a_site_that_says_nothing_keeps_its_samples_in_the_embedded_store(tmp_path: Path) -> None:
    site = load_site("jazari-lab", load_profiles())
    assert site.store == StoreChoice()
    store = open_store(site, tmp_path)
    store.close()
    assert isinstance(store, ParquetStore)
    assert open_reader(site, tmp_path).last_time() is None


def test_an_influx_store_is_opened_with_a_token_for_each_process(tmp_path: Path) -> None:
    for name in ("write", "read"):
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o600)
    choice = StoreChoice(
        *("influx", "http://127.0.0.1:9", "", "lab"), str(tmp_path / "write"), str(tmp_path / "read")
    )
    site = replace(load_site("jazari-lab", load_profiles()), store=choice)
    store, reader = open_store(site, tmp_path), open_reader(site, tmp_path)
    assert isinstance(store, InfluxStore)
    assert isinstance(reader, InfluxReader)
    assert store._place.token() == "write"
    assert reader._place.token() == "read"
    store.close()
    reader.close()


def test_a_name_that_line_protocol_cannot_carry_is_refused(tmp_path: Path) -> None:
    site = load_site("jazari-lab", load_profiles())
    device = replace(site.devices[0], name="pdu\\")
    choice = StoreChoice("influx", "http://127.0.0.1:9", "", "lab", str(tmp_path / "token"))
    with pytest.raises(ConfigError, match="can't carry the name"):
        open_store(replace(site, devices=(device,), store=choice), tmp_path)


def test_a_whole_influx_table_is_accepted() -> None:
    assert problems({**INFLUX, "org": "o", "retention_days": 90, "precision": "ms"}) == []


@pytest.mark.parametrize("key", ["url", "bucket", "token_file"])
def test_what_influx_needs_is_asked_for(key: str) -> None:
    found = problems({name: value for name, value in INFLUX.items() if name != key})
    assert len(found) == 1
    assert f"needs {key}" in found[0]
    assert f"store.{key}" in found[0]


@pytest.mark.parametrize("key", ["url", "bucket", "token_file"])
def test_what_only_influx_has_is_refused_without_it(key: str) -> None:
    assert len(problems({key: INFLUX[key]})) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "http://user:password@influx.lan"),
        ("url", "ftp://influx.lan"),
        ("url", "influx.lan:8086"),
        ("url", "http://influx.lan/?token=x"),
        ("token_file", "token"),
        ("token_file", "../token"),
        ("precision", "s"),
        ("kind", "mysql"),
        ("retention_days", -1),
        ("token", "abc"),
    ],
)
def test_what_cannot_be_meant_is_refused(key: str, value: object) -> None:
    with pytest.raises(ConfigError):
        problems({**INFLUX, key: value})
