"""A person turns nodes of a real Slurm off and on: the command line, the API, guard, executor and adapter."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.control.actuation.schedulers.slurm.rig import FLEX, rules
from tests.control.actuation.schedulers.slurm.rig import clock as site_clock
from tests.control.actuation.schedulers.slurm.test_budget_live import Wall
from tests.control.cli.test_cli import _first_cycle
from tests.peers.slurm import Cluster
from typer.testing import CliRunner

from igoudar.control import service
from igoudar.control.cli import add_commands

pytestmark = pytest.mark.xdist_group("slurm")


@pytest.fixture
def clock() -> Wall:
    return Wall()


@pytest.fixture
async def igoudar(state: Path, plant: Any, lab: Any, slurm: Cluster) -> AsyncIterator[Callable[..., Any]]:
    """The command line against the whole control part beside that Slurm."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    site = replace(lab.site, scheduler=rules(slurm))
    part = service.run(
        site, lab.profiles, site_clock(1.0), state, api_port=0, mode="auto", ready=found.set_result
    )
    task = asyncio.create_task(part)
    await asyncio.wait((task, found), return_when=asyncio.FIRST_COMPLETED)

    async def run(*words: str, answer: str = "") -> Any:
        app = typer.Typer()
        add_commands(app)
        line = [*words, "--state", str(state), "--lang", "en"]
        return await asyncio.to_thread(CliRunner().invoke, app, line, input=answer)

    await asyncio.to_thread(_first_cycle, state)
    yield run
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def power(slurm: Cluster, node: str) -> str:
    return slurm.run("scontrol", "-o", "show", "node", node).partition(" State=")[2].split()[0]


async def waited(slurm: Cluster, node: str, word: str) -> None:
    await asyncio.to_thread(slurm.wait, lambda: word in power(slurm, node), 60.0)


async def test_a_node_is_turned_off_and_on_by_a_person_who_says_yes(igoudar: Any, slurm: Cluster) -> None:
    slurm.run("scontrol", "update", "NodeName=gpu01", "State=DRAIN", "Reason=test")
    dry = await igoudar("node", "power-down", "gpu01", "--dry-run")
    assert "Nothing was done" in dry.output
    assert "drain+idle -> power_down" in dry.output
    assert (await igoudar("node", "power-down", "gpu01", answer="n\n")).exit_code == 1
    assert "POWER" not in power(slurm, "gpu01")
    done = await igoudar("node", "power-down", "gpu01", "--yes", "--reason", "quiet week", "--json")
    assert json.loads(done.output)["result"] == "done"
    await waited(slurm, "gpu01", "POWERED_DOWN")
    (row, *_) = json.loads((await igoudar("node", "list", "--json")).output)
    assert (row["name"], row["off"], row["may_power_down"]) == ("gpu01", True, False)
    (line,) = json.loads((await igoudar("audit", "show", "--target", "gpu01", "--json")).output)
    assert (line["who"], line["verb"], line["before"], line["after"], line["result"]) == (
        "operator",
        "power_down",
        "drain+idle",
        "power_down",
        "done",
    )
    assert (await igoudar("node", "power-up", "gpu01", "--yes")).exit_code == 0
    await asyncio.to_thread(slurm.wait, lambda: "POWER" not in power(slurm, "gpu01"), 60.0)


async def test_a_node_that_works_or_is_not_drained_stays_on(igoudar: Any, slurm: Cluster) -> None:
    job = slurm.submit(*FLEX, "--nodelist=gpu02")
    slurm.wait_state(job, "RUNNING")
    slurm.run("scontrol", "update", "NodeName=gpu02", "State=DRAIN", "Reason=test")
    for node in ("gpu01", "gpu02"):
        refused = await igoudar("node", "power-down", node, "--yes")
        assert "not idle and drained" in str(refused.exception)
        assert "not idle and drained" in (await igoudar("node", "power-down", node, "--dry-run")).output
    assert "not off" in str((await igoudar("node", "power-up", "gpu01", "--yes")).exception)
    assert "no such node" in str((await igoudar("node", "power-down", "gpu99", "--yes")).exception)
    assert "no such node" in str((await igoudar("node", "power-down", "x;reboot", "--yes")).exception)
    assert slurm.state(job) == "RUNNING"


async def test_what_changed_since_the_look_is_refused_by_name_and_recorded(
    igoudar: Any, slurm: Cluster, state: Path
) -> None:
    from igoudar.control.client import ApiClient
    from igoudar.control.client_hands import HandsApi
    from igoudar.core.errors import CommandError

    def asked() -> None:
        with ApiClient.of_state(state) as api, pytest.raises(CommandError, match="not idle and drained"):
            HandsApi(api).power_node("gpu01", "power-down", "drill")

    await asyncio.to_thread(asked)  # past the command line's own look
    (line,) = json.loads((await igoudar("audit", "show", "--target", "gpu01", "--json")).output)
    assert line["result"].startswith("rejected: not_drained")


async def test_in_observe_nodes_stay_as_they_are(igoudar: Any, slurm: Cluster) -> None:
    slurm.run("scontrol", "update", "NodeName=gpu01", "State=DRAIN", "Reason=test")
    assert (await igoudar("mode", "observe", "--yes")).exit_code == 0
    refused = await igoudar("node", "power-down", "gpu01", "--yes")
    assert "observe" in str(refused.exception)
    assert "POWER" not in power(slurm, "gpu01")
