"""The cluster's HTTP API over the plant."""

import math
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from igoudar.core.model import Job, Site
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.http_server import MAX_BODY, HttpServer
from igoudar.simulators.scheduler import SchedulerApi
from igoudar.simulators.twin import Inputs, Twin
from tests.simulators.conftest import START


@pytest.fixture
def twin(site: Site) -> Twin:
    """No arrivals but the test's own: a held job of 4 GPUs, a running one of 8."""
    twin = Twin.fresh(Inputs(site, 7, jobs=[]), START, 0.0)
    twin.submit(Job("run", "amina", 8, START, 7200.0, START + timedelta(hours=3), name="train"))
    twin.advance_to(START + timedelta(minutes=1))
    twin.submit(Job("wait/1", "badr", 4, twin.now, 600.0))
    twin.plant.cluster.hold("wait/1")
    return twin


@pytest.fixture
async def client(twin: Twin, tmp_path: Path):
    async def save() -> Path:
        return tmp_path / "plant.msgpack"

    api = SchedulerApi(twin, FaultBoard({"inverter-1": 0}), save)
    async with (
        HttpServer(api) as server,
        httpx.AsyncClient(base_url=server.url, timeout=5, trust_env=False) as peer,
    ):
        yield peer


async def jobs(client: httpx.AsyncClient) -> dict[str, dict]:
    document = (await client.get("/v1/jobs")).json()
    return {job["job_id"]: job for job in document["jobs"]}


async def test_jobs_show_what_a_scheduler_knows(client: httpx.AsyncClient, twin: Twin) -> None:
    document = (await client.get("/v1/jobs")).json()
    assert (document["gpus"], document["flexible_gpus"], document["gpus_free"]) == (576, 288, 280)
    assert document["time"] == twin.now.isoformat()
    run = (await jobs(client))["run"]
    assert (run["state"], run["gpus"], run["user"], run["name"]) == ("running", 8, "amina", "train")
    assert run["work_done_s"] == pytest.approx(60)
    assert run["racks"] == ["a1-01"]
    assert 0.75 < run["expected_s"] / 7200 < 1.25
    assert "duration_s" not in run
    assert (await jobs(client))["wait/1"]["state"] == "held"


async def test_jobs_can_be_moved(client: httpx.AsyncClient, twin: Twin) -> None:
    until = twin.now + timedelta(hours=1)
    delayed = await client.post("/v1/jobs/wait%2F1/delay", json={"until": until.isoformat()})
    assert (delayed.json()["state"], delayed.json()["begin_at"]) == ("waiting", until.isoformat())
    assert (await client.post("/v1/jobs/wait%2F1/hold")).json()["state"] == "held"
    assert (await client.post("/v1/jobs/wait%2F1/release")).json()["state"] == "waiting"
    twin.advance_to(twin.now + timedelta(minutes=1))
    assert (await jobs(client))["wait/1"]["state"] == "running"
    assert (await client.post("/v1/jobs/run/suspend")).json()["state"] == "suspended"
    assert (await client.post("/v1/jobs/run/resume")).json()["state"] == "waiting"
    assert twin.shadow.cluster.get("run").stops == 0


async def test_finished_jobs_show_when_asked_for(client: httpx.AsyncClient, twin: Twin) -> None:
    twin.plant.cluster.release("wait/1")
    twin.advance_to(twin.now + timedelta(hours=1))
    assert "wait/1" not in await jobs(client)
    bare = await client.get(f"/v1/jobs?since_finished={START.isoformat()}")  # its + left unescaped
    escaped = await client.get("/v1/jobs", params={"since_finished": START.isoformat()})
    for answer in (bare, escaped):
        assert {j["job_id"]: j["state"] for j in answer.json()["jobs"]}["wait/1"] == "finished"


async def test_a_submitted_job_is_in_both_worlds(client: httpx.AsyncClient, twin: Twin) -> None:
    body = {"job_id": "mine", "gpus": 2, "duration_s": 300, "user": "me"}
    assert (await client.post("/v1/submit", json=body)).json()["state"] == "waiting"
    assert (await client.post("/v1/submit", json=body)).status_code == 400
    assert {"mine"} <= set(twin.plant.cluster.jobs) & set(twin.shadow.cluster.jobs)


async def test_run_now_and_totals_can_be_asked_for(client: httpx.AsyncClient, twin: Twin) -> None:
    twin.advance_to(START + timedelta(minutes=45))
    shadow = (await client.get("/v1/shadow")).json()
    assert shadow["time"][0] == START.isoformat()
    assert len(shadow["time"]) == len(shadow["load_w"]) == 3
    assert min(shadow["load_w"]) > 100e3
    totals = (await client.get("/v1/summary")).json()
    assert (totals["jobs_seen"], totals["plant"]["jobs_seen"], totals["run_now"]["jobs_seen"]) == (2, 2, 2)
    assert totals["work_gpu_s"] < totals["work_gpu_s_run_now"]
    assert totals["plant_balance_error"] < 1e-3
    assert not math.isnan(totals["import_wh"])


async def test_only_deadlines_that_run_now_kept_count(client: httpx.AsyncClient, twin: Twin) -> None:
    twin.submit(Job("late", "me", 1, twin.now, 600.0, twin.now + timedelta(minutes=20)))
    twin.submit(Job("lost", "me", 1, twin.now, 6000.0, twin.now + timedelta(minutes=20)))
    twin.plant.cluster.hold("late", twin.now + timedelta(hours=1))
    twin.advance_to(twin.now + timedelta(hours=3))
    totals = (await client.get("/v1/summary")).json()
    assert totals["run_now"]["deadlines_missed"] == ["lost"]
    assert (totals["deadlines_missed"], totals["deadlines_missed_ids"]) == (1, ["late"])


async def test_a_plug_can_be_pulled_and_put_back(client: httpx.AsyncClient) -> None:
    pulled = await client.post("/v1/faults", json={"device": "inverter-1", "fault": "slow:2"})
    assert pulled.json() == {"faults": {"inverter-1": "slow:2"}}
    cleared = await client.post("/v1/faults", json={"device": "inverter-1", "fault": None})
    assert cleared.json() == (await client.get("/v1/faults")).json() == {"faults": {}}


async def test_a_checkpoint_tells_where_it_is(client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await client.post("/v1/checkpoint")).json()["path"] == str(tmp_path / "plant.msgpack")


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/v1/jobs/none/release", {}, 400, "no such job"),
        ("/v1/jobs/run/release", {}, 400, "it is running"),
        ("/v1/jobs/run/paint", {}, 404, "paint"),
        ("/v1/jobs/wait%2F1/delay", {}, 400, "until is not an ISO time"),
        ("/v1/submit", {"job_id": "x", "gpus": "many"}, 400, "not a job"),
        ("/v1/submit", {"job_id": "x", "gpus": 1, "duration_s": -1}, 400, "above 0"),
        ("/v1/faults", {"device": "toaster", "fault": "dead"}, 400, "no such device"),
        ("/v1/faults", {"device": "inverter-1", "fault": "sleepy"}, 400, "unknown fault"),
        ("/v1/faults", {"device": 3}, 400, "as text"),
        ("/elsewhere", {}, 404, "/elsewhere"),
    ],
)
async def test_refusals_say_why(
    client: httpx.AsyncClient, path: str, body: dict, status: int, says: str
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == status
    assert says in answer.json()["error"]


async def test_bodies_are_json_objects_of_bearable_size(client: httpx.AsyncClient) -> None:
    for body in (b"{", b"[]", b"\xff"):
        assert (await client.post("/v1/submit", content=body)).status_code == 400
    assert (await client.post("/v1/submit", content=b" " * (MAX_BODY + 1))).status_code == 413


async def test_a_web_page_can_not_reach_it(client: httpx.AsyncClient) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        assert (await client.get("/v1/jobs", headers=headers)).status_code == 403
