"""Configurations are kept by version, and one can be brought back."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from igoudar.app.site_cli import add_commands
from igoudar.collectors.profiles import load_profiles
from igoudar.control.records.audit import verify
from igoudar.control.records.state import Records
from igoudar.control.records.versions import read_source, remember
from igoudar.core.errors import ConfigError
from igoudar.core.site import load_site, locate_site
from igoudar.core.site_version import site_version
from igoudar.core.state_path import state_path

Run = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IGOUDAR_STATE", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    return state_path("x", None)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site file of one's own."""
    with locate_site("jazari-lab") as seed:
        (tmp_path / "lab.toml").write_text(seed.read_text())
    return tmp_path / "lab.toml"


@pytest.fixture
def run(state: Path) -> Run:
    app = typer.Typer()
    add_commands(app)
    return lambda *words: CliRunner().invoke(app, ["site", *map(str, words), "--lang", "en"])


def start(site: Path, state: Path) -> str:
    """What a start does with its configuration."""
    records = Records.open(state / "state.sqlite")
    version = site_version(load_site(str(site), load_profiles()))
    remember(records, "jazari-lab", version, read_source(str(site)))
    records.close()
    return version


def change(site: Path) -> None:
    site.write_text(site.read_text().replace("urgent_share = 0.48", "urgent_share = 0.5", 1))
    if "urgent_share = 0.5" not in site.read_text():
        site.write_text("urgent_share = 0.5\n" + site.read_text())


def test_every_start_is_listed_and_the_last_one_is_first(run: Run, site: Path, state: Path) -> None:
    assert "No start" in run("versions", site).stdout
    first = start(site, state)
    change(site)
    second = start(site, state)
    start(site, state)
    assert first != second
    found = json.loads(run("versions", site, "--json").stdout)
    assert [one["version"] for one in found] == [second, first]
    assert first in run("versions", site).stdout


def test_a_rollback_brings_the_file_back_and_is_recorded(run: Run, site: Path, state: Path) -> None:
    before = site.read_text()
    first = start(site, state)
    change(site)
    second = start(site, state)
    assert "Nothing was done" in run("rollback", first, "--site", site, "--dry-run").stdout
    assert site.read_text() != before
    assert run("rollback", first, "--site", site, "--yes").exit_code == 0
    assert site.read_text() == before
    assert start(site, state) == first
    records = Records.open(state / "state.sqlite")
    (line,) = records.actions()
    assert (line.verb, line.before, line.after, line.result) == ("config_rollback", second, first, "done")
    assert line.who.startswith("local:")
    assert verify(records).whole
    records.close()


def test_a_broken_file_is_rolled_back_where_its_state_is_named(run: Run, site: Path, state: Path) -> None:
    before, first = site.read_text(), start(site, state)
    site.write_text("this is no site")
    assert run("rollback", first, "--site", site, "--state", state, "--yes").exit_code == 0
    assert site.read_text() == before


def test_what_can_t_be_brought_back_changes_nothing(
    run: Run, site: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start(site, state)
    before = site.read_text()
    missing = run("rollback", "0" * 12, "--site", site, "--yes")
    assert isinstance(missing.exception, ConfigError)
    seed = run("rollback", first, "--site", "jazari-lab", "--yes")
    assert isinstance(seed.exception, ConfigError)
    monkeypatch.setattr("igoudar.core.site_version.site_version", lambda _: "another")
    stale = run("rollback", first, "--site", site, "--yes")
    assert isinstance(stale.exception, ConfigError)
    assert "is now version another" in str(stale.exception)
    assert site.read_text() == before
    assert list(site.parent.glob(".*")) == []


def test_the_version_is_the_same_in_every_process_and_for_every_order(site: Path) -> None:
    program = (
        "import sys; from igoudar.collectors.profiles import load_profiles; "
        "from igoudar.core.site import load_site; from igoudar.core.site_version import site_version; "
        "print(site_version(load_site(sys.argv[1], load_profiles())))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program, str(site)],
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
