"""proposal, override, handsoff and mode --class against the whole control part on a real port."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.control.cli.test_cli import igoudar
from typer.testing import CliRunner

from igoudar.control.cli import add_commands
from igoudar.control.cli.override import number
from igoudar.core import handsoff
from igoudar.core.errors import ConfigError
from igoudar.core.said import told

__all__ = ["igoudar"]
RATE = ("battery-1", "discharge_rate_pct")


async def seen(igoudar: Any, plant: Any) -> str:
    """What a dry run says once the loop has read the battery."""
    plant.values[RATE] = 100.0
    for _ in range(200):
        output = str((await igoudar("override", "set", *RATE, "40", "--dry-run")).output)
        if "100" in output:
            return output
    raise AssertionError("the value is never seen")


async def test_an_override_is_shown_asked_set_listed_and_released(
    igoudar: Any, plant: Any, state: Path
) -> None:
    dry = await seen(igoudar, plant)
    assert "100% -> 40.0%" in dry
    assert "Africa/El_Aaiun" in dry
    assert (await igoudar("override", "set", *RATE, "40", answer="n\n")).exit_code == 1
    assert plant.writes == []
    done = await igoudar(
        "override", "set", *RATE, "40", "--until", "+2h", "--yes", "--reason", "drill", "--json"
    )
    assert json.loads(done.output)["result"] == "done"
    assert json.loads(done.output)["preview"]["old"] == 100.0
    assert plant.writes[0].origin == "override"
    (held,) = json.loads((await igoudar("override", "list", "--json")).output)
    assert (held["value"], held["who"], held["reason"]) == (40.0, "operator", "drill")
    assert "drill" in (await igoudar("override", "list")).output
    assert "Nothing was done" in (await igoudar("override", "release", *RATE, "--dry-run")).output
    assert (await igoudar("override", "release", *RATE, "--yes")).exit_code == 0
    assert json.loads((await igoudar("override", "list", "--json")).output) == []


async def test_what_would_be_refused_is_not_even_asked(igoudar: Any, plant: Any) -> None:
    refused = await igoudar("override", "set", *RATE, "140", "--yes")
    assert "Out of bounds" in str(refused.exception)
    assert "Out of bounds" in (await igoudar("override", "set", *RATE, "140", "--dry-run")).output
    assert "no such device" in str(
        (await igoudar("override", "set", "battery-9", RATE[1], "1", "--yes")).exception
    )
    unheld = (await igoudar("override", "release", *RATE, "--yes")).exception
    assert "nobody holds" in str(unheld)
    assert told(unheld, "fr").startswith("battery-1 discharge_rate_pct: personne ne tient ce point")
    assert plant.writes == []


async def test_a_negative_value_is_a_value(igoudar: Any, plant: Any) -> None:
    plant.values[RATE] = 100.0
    assert (await igoudar("override", "set", *RATE, "-20", "--yes")).exit_code == 0
    assert plant.writes[0].value == -20.0


async def test_hands_off_needs_nobody_and_its_end_an_operator(
    igoudar: Any, plant: Any, state: Path, cluster: Any
) -> None:
    plant.values[RATE] = 100.0
    assert "Nothing was done" in (await igoudar("handsoff", "on", "--dry-run")).output
    assert not handsoff.is_on(state)
    assert (await igoudar("handsoff", "on", "--reason", "drill")).exit_code == 0
    said = handsoff.read(state)
    assert said is not None
    assert said.why == "drill"
    refused = await igoudar("override", "set", *RATE, "40", "--yes")
    assert "Hands-off" in str(refused.exception)
    assert "Hands-off" in str((await igoudar("job", "hold", "job-1", "--yes")).exception)
    assert (await igoudar("handsoff", "off", answer="n\n")).exit_code == 1
    assert handsoff.is_on(state)
    said_last = (await igoudar("handsoff", "off", "--yes", "--json")).output
    # Control lives in this process: the notice of its alarm may stand before the answer.
    assert json.loads(said_last[said_last.index("{") :])["on"] is False
    assert (await igoudar("override", "set", *RATE, "40", "--yes")).exit_code == 0


def test_hands_off_works_with_no_control_process_and_no_token(tmp_path: Path) -> None:
    app = typer.Typer()
    add_commands(app)
    result = CliRunner().invoke(app, ["handsoff", "on", "--state", str(tmp_path), "--json"])
    assert result.exit_code == 0
    assert handsoff.is_on(tmp_path)
    assert json.loads(result.output)["on"] is True
    nowhere = CliRunner().invoke(app, ["handsoff", "on", "--state", str(tmp_path / "no")])
    assert isinstance(nowhere.exception, ConfigError)


async def test_a_class_has_a_mode_and_advise_proposes(igoudar: Any, cluster: Any) -> None:
    assert "Nothing was done" in (await igoudar("mode", "advise", "--class", "jobs", "--dry-run")).output
    found = json.loads((await igoudar("mode", "advise", "--class", "jobs", "--yes", "--json")).output)
    assert (found["mode"], found["classes"]["jobs"], found["classes"]["battery"]) == (
        "auto",
        "advise",
        "auto",
    )
    assert "jobs: advise" in (await igoudar("mode")).output
    assert isinstance((await igoudar("mode", "auto", "--class", "engines", "--yes")).exception, ConfigError)
    assert (await igoudar("proposal", "list")).exit_code == 0
    assert "no such proposal" in str((await igoudar("proposal", "approve", "ffff", "--yes")).exception)


def test_values_as_people_write_them() -> None:
    assert number("300kW", "limit_w") == 300e3
    assert number("-0.3 MW", "setpoint_w") == -300e3
    assert number("40 %", "discharge_rate_pct") == 40.0
    for word, point in (("300", "limit_w"), ("much", "setpoint_c"), ("1e9", "limit_pct")):
        with pytest.raises(ConfigError):
            number(word, point)
