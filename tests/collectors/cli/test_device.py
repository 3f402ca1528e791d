"""`igoudar read`, `record` and `profile ...`: single devices through a running collector, or alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from igoudar.collectors.profiles import BUNDLED, load_profiles
from igoudar.core.errors import ConfigError, IgoudarError, LinkError
from tests.collectors.cli.test_probe import INVERTER, METER, run, simulated
from tests.collectors.rigs import device
from tests.collectors.test_service import answering, collecting, site

PROFILES = load_profiles()
SITE = site(
    device("meter", PROFILES["schneider-iem3000"]),
    device("inverter", PROFILES["sunspec-inverter"]),
    device("gone", PROFILES["schneider-iem3000"]),
)


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Path]:
    """The state folder of a collector that reads two simulated devices; a third is not there."""
    units = {"inverter": (2, "sunspec-inverter", INVERTER), "meter": (1, "schneider-iem3000", METER)}
    async with simulated(**units) as (server, plant):
        places = {name: f"modbus-tcp://127.0.0.1:{server.port}/{unit}" for name, (unit, *_) in units.items()}
        places["gone"] = f"modbus-tcp://127.0.0.1:{server.port}/9"
        async with collecting(tmp_path, places, SITE) as (client, _):
            await answering(client, 2)
            yield tmp_path
        assert plant.written == []


async def test_a_device_is_read_now(state: Path) -> None:
    told = await run("read", "inverter", "--state", str(state))
    assert told.exit_code == 0
    assert "mppt (4)" in told.output
    found = json.loads((await run("read", "meter", "--state", str(state), "--json")).output)
    assert found["profile"] == "schneider-iem3000"
    assert found["values"]["active_power_w"] == 71_000.0


async def test_one_point_is_read(state: Path) -> None:
    told = await run("read", "meter", "frequency_hz", "--state", str(state))
    assert told.output == "50.0 Hz  good\n"
    missing = await run("read", "meter", "current_l2_a", "--state", str(state))
    assert (missing.exit_code, missing.output) == (1, "-  bad: sentinel\n")
    wrong = await run("read", "meter", "power", "--state", str(state))
    assert isinstance(wrong.exception, ConfigError)


async def test_what_can_not_be_read_says_why(state: Path) -> None:
    gone = await run("read", "gone", "--state", str(state))
    assert gone.exit_code == 1
    assert "gone gave no values: timeout" in gone.output
    unknown = await run("read", "metre", "--state", str(state))
    assert isinstance(unknown.exception, LinkError)
    assert "the nearest known device is 'meter'" in str(unknown.exception)
    assert "wait until it is restarted" in str((await run("read", "x", "--state", "nowhere")).exception)


async def test_a_recording_has_raw_and_decoded_values_and_no_serial_number(
    state: Path, tmp_path: Path
) -> None:
    out = tmp_path / "dump.json"
    told = await run("record", "inverter", "--out", str(out), "--state", str(state))
    assert told.exit_code == 0
    dump = json.loads(out.read_text())
    assert dump["values"]["operating_state"] == 4.0
    assert dump["reads"][0]["registers"] == "5375 6e53"
    raw = "".join(r.get("registers", "").replace(" ", "") for r in dump["reads"])
    assert b"inverter".hex() not in raw  # the simulator's serial number is the device's name
    assert str(tmp_path) not in out.read_text()
    assert "127.0.0.1" not in out.read_text()
    gone = await run("record", "gone", "--state", str(state))
    assert isinstance(gone.exception, IgoudarError)


async def test_a_profile_is_checked_alone_and_against_a_device() -> None:
    file = str(BUNDLED / "schneider-iem3000.toml")
    alone = await run("profile", "check", file)
    assert (alone.exit_code, "12 points of a meter" in alone.output) == (0, True)
    async with simulated(m=(1, "schneider-iem3000", METER), i=(2, "sunspec-inverter", INVERTER)) as (
        server,
        _,
    ):
        where = f"127.0.0.1:{server.port}"
        right = await run("profile", "check", file, "--against", f"{where}/1", "--json")
        wrong = await run("profile", "check", file, "--against", f"{where}/2")
    assert json.loads(right.output)["against"]["score"] > 0.8
    assert right.exit_code == 0
    assert isinstance(wrong.exception, IgoudarError)
    assert "does not have these registers" in str(wrong.exception)


async def test_a_broken_profile_is_refused_with_its_key(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text((BUNDLED / "schneider-iem3000.toml").read_text().replace("max_fill", "max_fil"))
    found = await run("profile", "check", str(file))
    assert isinstance(found.exception, ConfigError)
    assert "max_fill" in str(found.exception)


def test_all_profiles_are_listed() -> None:
    told = asyncio.run(run("profile", "list", "--json"))
    assert {p["profile"] for p in json.loads(told.output)["profiles"]} == set(PROFILES)
