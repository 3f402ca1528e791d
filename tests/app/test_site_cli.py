import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from igoudar.app.site_cli import add_commands
from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.site import load_site

KEYS = """
name title devices points it_mw racks gpus halls pv_mw wind_mw battery_mwh battery_mw desalination_mw
electrolyser_mw grid_limit_mw by_kind sources members
"""


@pytest.fixture
def run():
    app = typer.Typer()
    add_commands(app)
    return lambda *words: CliRunner().invoke(app, ["site", *words])


def test_show_as_json_has_every_key(run):
    facts = json.loads(run("show", "jazari-lab", "--json").stdout)
    assert list(facts) == KEYS.split()
    assert facts["it_mw"] == 1.056
    assert sum(facts["by_kind"].values()) == facts["devices"]


def test_show_speaks_both_languages(run):
    assert "solar 600 kW, wind 500 kW" in run("show", "jazari-lab", "--lang", "en").stdout
    assert "solaire 600\u202fkW" in run("show", "jazari-lab", "--lang", "fr").stdout


def test_show_names_the_members_of_a_fleet(run):
    assert "tarfaya" in run("show", "morocco", "--lang", "en").stdout


def test_check_of_a_good_site(run):
    result = run("check", "dakhla-phase1", "--lang", "en")
    assert result.exit_code == 0
    assert "no problem found" in result.stdout


def test_check_tells_every_problem_and_exits_2(run, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text('name = "bad"\ntitel = "x"\n[solar]\nac = 3\n')
    result = run("check", str(path))
    assert result.exit_code == 2
    assert "bad.toml: titel: unknown key. the nearest known key is 'title'" in result.stderr
    assert "bad.toml: solar.ac: 3 is a power without a unit" in result.stderr
    assert "Traceback" not in result.output
    document = json.loads(run("check", str(path), "--json").stdout)
    assert document["ok"] is False
    assert {"what", "where", "fix"} == set(document["problems"][0])


def test_show_of_an_unknown_site_is_a_configuration_error(run):
    assert isinstance(run("show", "jazari-labs").exception, ConfigError)


def test_the_readme_s_first_site_file_is_good(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    block = readme.split("```toml\n")[1].split("```")[0]
    file = tmp_path / "my-site.toml"
    file.write_text("\n".join(line.removeprefix("   ") for line in block.splitlines()))
    site = load_site(str(file), load_profiles())
    assert [device.name for device in site.devices] == ["meter-main"]
