"""34. Configuration is versioned, each plan and command records its version, and rolling back works."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from igoudar.app.site_cli import add_commands
from igoudar.collectors.profiles import load_profiles
from igoudar.control import service
from igoudar.control.client import ApiClient
from igoudar.control.records.versions import read_source
from igoudar.core.errors import LinkError
from igoudar.core.site import load_site, locate_site
from igoudar.core.site_version import site_version
from tests.control.conftest import clock, cluster, lab, plant, serve_http, state  # noqa: F401 - fixtures

WAIT_S = 30.0


@pytest.fixture
def site(tmp_path: Path) -> Path:
    with locate_site("jazari-lab") as seed:
        (tmp_path / "lab.toml").write_text(seed.read_text())
    return tmp_path / "lab.toml"


async def start(site: Path, state: Path, plant: Any) -> tuple[str, str, str]:  # noqa: F811
    """The versions of the site, of its plan and of a command, as a whole control part has them."""
    profiles = load_profiles()
    loaded = load_site(str(site), profiles)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    source = read_source(str(site))
    part = service.run(
        loaded, profiles, plant.clock, state, api_port=0, mode="auto", ready=found.set_result, source=source
    )
    task = asyncio.create_task(part)
    await found

    def told() -> tuple[str, str]:
        with ApiClient.of_state(state) as api:
            end = time.monotonic() + WAIT_S
            while True:
                assert time.monotonic() < end
                try:
                    plan = api.plan().config_version
                    api.set_mode("observe", "test")
                    return plan, api.actions(limit=1)[0].config_version
                except LinkError:
                    threading.Event().wait(0.05)  # the first cycle is not over

    try:
        plan, command = await asyncio.to_thread(told)
    finally:
        task.cancel()
        await asyncio.wait((task,))
    return site_version(loaded), plan, command


def igoudar(*words: str) -> str:
    app = typer.Typer()
    add_commands(app)
    done = CliRunner().invoke(app, ["site", *words, "--lang", "en"])
    assert done.exit_code == 0, done.output
    return done.stdout


async def test_line_34_plans_and_commands_name_their_configuration_and_a_rollback_brings_it_back(
    site: Path,
    state: Path,  # noqa: F811
    plant: Any,  # noqa: F811
) -> None:
    plant.run(60)
    before = site.read_text()
    first = await start(site, state, plant)
    assert len(set(first)) == 1
    site.write_text(before.replace("urgent_share = 0.48", "urgent_share = 0.40"))
    second = await start(site, state, plant)
    assert len(set(second)) == 1
    assert second != first
    listed = await asyncio.to_thread(igoudar, "versions", str(site), "--state", str(state))
    assert [line.split()[0] for line in listed.splitlines()] == [second[0], first[0]]
    await asyncio.to_thread(
        igoudar, "rollback", first[0], "--site", str(site), "--state", str(state), "--yes"
    )
    assert site.read_text() == before
    assert await start(site, state, plant) == first
