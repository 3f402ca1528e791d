import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from igoudar.control import service
from igoudar.control.cli import add_commands, show
from igoudar.control.cli.times import until
from igoudar.control.client import ApiClient
from igoudar.core.errors import ConfigError, LinkError

Command = Callable[..., Result]


@pytest.fixture
async def igoudar(state: Path, plant: Any, lab: Any, cluster: Any) -> AsyncIterator[Callable[..., Any]]:
    """The command line against the whole control part on a real port."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    plant.run(60)
    plant.powers["pv"] = 0.0
    cluster.add("job-1", user="eve\x1b[31m", name="[red]x[/red]\x07")
    part = service.run(
        lab.site, lab.profiles, plant.clock, state, api_port=0, mode="auto", ready=found.set_result
    )
    task = asyncio.create_task(part)
    await found

    async def run(*words: str, answer: str = "") -> Result:
        app = typer.Typer()
        add_commands(app)
        return await asyncio.to_thread(
            CliRunner().invoke, app, [*words, "--state", str(state), "--lang", "en"], input=answer
        )

    await asyncio.to_thread(_first_cycle, state)
    yield run
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def _first_cycle(state: Path) -> None:
    for _ in range(2000):
        try:
            with ApiClient.of_state(state) as api:
                api.status()
            return
        except LinkError:
            continue
    raise AssertionError("no first cycle")


async def test_looking(igoudar: Any) -> None:
    status = await igoudar("status")
    assert status.exit_code == 0
    assert "Africa/El_Aaiun" in status.output
    assert "57 / 57" in status.output
    assert json.loads((await igoudar("status", "--json")).output)["devices_answering"] == 57
    assert "ISO/IEC 30134-2:2026" in json.loads((await igoudar("kpi", "--json")).output)["kpis"][0]["edition"]
    assert "57 of 57" in (await igoudar("devices")).output


async def test_hostile_names_are_shown_as_text(igoudar: Any) -> None:
    listed = (await igoudar("job", "list")).output
    assert "\x1b" not in listed
    assert "\x07" not in listed
    assert "[red]" in listed.replace("\n", "")
    assert json.loads((await igoudar("job", "list", "--json")).output)["jobs"][0]["user"] == "eve\x1b[31m"


async def test_dry_run_sends_nothing_and_a_no_is_a_no(igoudar: Any, cluster: Any) -> None:
    before = list(cluster.calls)
    assert "Nothing was done" in (await igoudar("job", "hold", "job-1", "--dry-run")).output
    assert (await igoudar("job", "hold", "job-1", answer="n\n")).exit_code == 1
    assert "Nothing was done" in (await igoudar("mode", "observe", "--dry-run")).output
    assert [call for call in cluster.calls if call not in before] == []


async def test_acting_with_yes(igoudar: Any, cluster: Any) -> None:
    held = await igoudar("job", "delay", "job-1", "--until", "+3h", "--yes", "--reason", "drill", "--json")
    assert json.loads(held.output)["reason"]["english"] == "operator: drill"
    assert "drill" in (await igoudar("job", "why", "job-1", "--json")).output
    assert json.loads((await igoudar("mode", "observe", "--yes", "--json")).output)["mode"] == "observe"
    assert "observe" in (await igoudar("mode")).output


async def test_errors_are_ours_for_the_edge_to_show(igoudar: Any) -> None:
    assert isinstance((await igoudar("mode", "sideways")).exception, ConfigError)
    assert "no such job" in str((await igoudar("job", "hold", "nobody", "--yes")).exception)
    assert "no such alarm" in str((await igoudar("alarms", "ack", "0000", "--yes")).exception)
    assert (await igoudar("alarms", "list")).exit_code == 0


async def test_alarms_alone_lists_them(igoudar: Any) -> None:
    alone, listed = await igoudar("alarms", "--json"), await igoudar("alarms", "list", "--json")
    assert alone.exit_code == 0
    assert json.loads(alone.output).keys() == json.loads(listed.output).keys()


async def test_the_points_of_a_status_are_those_of_the_site(igoudar: Any, lab: Any) -> None:
    found = json.loads((await igoudar("status", "--json")).output)
    assert found["points"] == lab.points == sum(len(lab.profiles[d.profile].points) for d in lab.site.devices)
    assert found["values"] == 500


def test_times_as_people_type_them(clock: Any) -> None:
    now, zone = clock.now(), "Africa/El_Aaiun"
    assert until("+90m", now, zone) == now.replace(hour=13, minute=30)
    assert until("14:30", now, zone) > now
    assert until("2026-03-01T19:40+00:00", now, zone).hour == 19
    with pytest.raises(ConfigError, match="not a time"):
        until("soon", now, zone)


async def test_the_plan_and_why_a_job_waits(igoudar: Any) -> None:
    shown = await igoudar("plan")
    assert shown.exit_code == 0
    assert "plan" in shown.output
    document = json.loads((await igoudar("plan", "--json")).output)
    assert document["source"] in ("greedy", "optimal")
    assert [job["job_id"] for job in document["jobs"]] == ["job-1"]
    why = await igoudar("job", "why", "job-1")
    assert "Starts" in why.output
    assert "\x1b" not in why.output
    told = json.loads((await igoudar("job", "why", "job-1", "--json")).output)
    assert told[1]["consequence"]["code"] == "planner.consequence_deadline"


async def test_the_audit_is_shown_with_before_after_and_reason(igoudar: Any) -> None:
    assert (await igoudar("mode", "advise", "--yes", "--reason", "drill")).exit_code == 0
    shown = await igoudar("audit", "show", "--target", "mode", "--limit", "1")
    assert "operator  mode mode: auto -> advise  [done]  operator: drill" in shown.stdout
    (line,) = json.loads((await igoudar("audit", "show", "--limit", "1", "--json")).stdout)
    assert len(line["hash"]) == 64
    later = await igoudar("audit", "show", "--since", "2100-01-01T00:00:00")
    assert later.stdout == ""
    assert (await igoudar("audit", "verify")).exit_code == 0


def test_what_the_audit_keeps_is_printed_as_it_is_but_for_times() -> None:
    zone = "Africa/El_Aaiun"
    kept = ("2026-11-22T08:22:58.947690+00:00", "73.4", "20261122", None)
    assert [show.recorded(one, zone) for one in kept] == [
        f"2026-11-22 09:22:58 {zone}",
        "73.4",
        "20261122",
        "-",
    ]
