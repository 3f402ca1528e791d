"""The whole product, run as its operator runs it."""

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.app.live import IGOUDAR, Live, up, wait_until
from tests.conftest import ROOT

pytestmark = pytest.mark.xdist_group("live")
PARTS = ("simulate", "failsafe", "collect", "control", "dashboard")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with up(tmp_path_factory.mktemp("live") / "state", "--speed", "600") as site:
        yield site


def test_every_device_answers_and_the_kpis_appear(live: Live) -> None:
    with live.api() as api:
        status = wait_until("all devices", lambda: (s := api.status()).devices_answering == s.devices and s)
        assert status.devices > 40
        assert status.mode == "auto"
        pue = wait_until("a PUE", lambda: api.status().pue)
        assert 1.0 < pue < 1.6
        assert wait_until("a renewable share", lambda: api.status().renewable_share is not None)


def readme_tour() -> list[list[str]]:
    """The commands of the README's tour that look at a running site."""
    tour = (ROOT / "README.md").read_text().split("## A tour")[1].split("## ")[0]
    lines = re.findall(r"^\.venv/bin/igoudar (?!up)([^#\n]*)", tour, re.MULTILINE)
    return [line.split() for line in lines]


@pytest.mark.parametrize("words", readme_tour(), ids=" ".join)
def test_the_tour_of_the_readme_runs(live: Live, words: list[str]) -> None:
    shown = live.command(*words)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip()
    document = live.command(*words, "--json")
    assert document.returncode == 0, document.stderr
    assert json.loads(document.stdout)


def test_what_the_readme_says_of_acting_runs(live: Live) -> None:
    section = (ROOT / "README.md").read_text().split("## Acting on the plant")[1].split("## ")[0]
    lines = re.findall(r"^\.venv/bin/igoudar (.*?)(?:  +#.*)?$", section, re.MULTILINE)
    try:
        for line in lines:
            words = shlex.split(line)
            if words[:2] in (["site", "shed"], ["site", "cap"]):  # on a busy machine meters may be a while
                wait_until(line, lambda: live.command(*words, "--yes").returncode == 0)  # noqa: B023 - now
                continue
            shown = live.command(*words)
            assert shown.returncode == 0, (line, shown.stderr)
        assert len(lines) >= 7
        assert live.command("job", "list").returncode == 0  # looking is always allowed
    finally:
        assert live.command("handsoff", "off", "--yes", "--reason", "over").returncode == 0
        for event in json.loads(live.command("site", "events", "--json").stdout)["events"]:
            live.command("site", "cancel", event["id"], "--yes", "--reason", "over")


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back_is_alarmed_and_loses_nothing_acknowledged(live: Live, part: str) -> None:
    with live.api() as api:
        before = api.status().readings
        first = live.parts()[part]["pid"]
        os.kill(first, signal.SIGKILL)
        wait_until(f"{part} again", lambda: live.parts()[part]["pid"] not in (None, first))
        if part != "control":
            wait_until("an alarm", lambda: any(alarm.source == part for alarm in api.alarms().alarms))
        wait_until("the API again", lambda: _answers(live))
        if part == "collect":  # it counts anew, which control must have seen before the next one is killed
            wait_until("the new count", lambda: api.status().readings < before)
        wait_until("new readings", lambda: api.status().devices_answering == api.status().devices)
        assert part == "collect" or api.status().readings >= before


def _answers(live: Live) -> bool:
    shown = live.command("status", "--json")
    return shown.returncode == 0


def test_hostile_and_unknown_words_get_one_clear_line(live: Live) -> None:
    for line in ("job hold no-such-job --yes", "devices nowhere", "mode sideways --yes"):
        words = line.split()
        shown = live.command(*words)
        assert shown.returncode in (1, 2), words
        assert "Traceback" not in shown.stdout + shown.stderr
        assert shown.stderr.strip()


def test_one_interrupt_stops_all_cleanly(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with up(state) as site:
        children = psutil.Process(site.process.pid).children(recursive=True)
        assert len(children) >= len(PARTS)
    assert site.process.returncode == 0
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not list(state.rglob("*.part"))


def test_an_unattended_run_writes_its_figures(tmp_path: Path, shared_data: Path) -> None:
    summary = tmp_path / "out.json"
    run = subprocess.run(
        [
            *(IGOUDAR, "up", "jazari-lab", "--state", str(tmp_path / "state")),
            *("--api-port", "0", "--dashboard-port", "0", "--for", "60", "--speed", "1440"),
            *("--resource", str(shared_data / "dakhla_ptxboa")),
            *("--jobs", str(shared_data / "gpu_jobs" / "chronus_trace_job_Philly_SLO.csv")),
            *("--summary", str(summary)),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    figures = json.loads(summary.read_text())
    assert figures["devices_answering"] == figures["devices"]
    assert figures["plant_balance_error"] < 0.001
    assert figures["metered_balance_error"] < 0.01
    assert figures["work_gpu_s"] == pytest.approx(figures["work_gpu_s_run_now"], rel=0.001)
    # This day has little surplus to shift to: what a busy host adds in delays must not decide the test.
    assert figures["import_wh"] < 1.001 * figures["import_wh_run_now"]
    assert figures["jobs_shifted"] > 0
    assert figures["deadlines_missed"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up", "no-such-site"], "no-such-site"),
        (["up", "--resource", "/no/such/folder"], "/no/such/folder"),
        (["up", "--jobs", "/no/such/file.csv"], "/no/such/file.csv"),
        (["up", "--summary", "out.json"], "--for"),
    ],
)
def test_bad_input_is_named_before_anything_starts(tmp_path: Path, words: list[str], said: str) -> None:
    run = subprocess.run(
        [IGOUDAR, *words, "--state", str(tmp_path / "state")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_a_malformed_row_is_named_by_line(tmp_path: Path) -> None:
    trace = tmp_path / "jobs.csv"
    trace.write_text(
        "job_id,user,num_gpu,submit_time,iterations,model_name,duration,interval,expect_time_list,"
        "expect_value_list,best_effort,job_type\n0,u,four,1,1,m,1,1,1,1,0,strict\n"
    )
    run = subprocess.run(
        [IGOUDAR, "up", "--jobs", str(trace), "--state", str(tmp_path / "state")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert "jobs.csv" in run.stderr
    assert "2" in run.stderr
