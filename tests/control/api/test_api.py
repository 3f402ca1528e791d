import asyncio
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from igoudar.control.api.metrics import CONTENT_TYPE
from igoudar.control.api.server import bind
from igoudar.control.client import ApiClient
from igoudar.core.errors import CommandError, ConfigError, LinkError

ROUTES = (
    "status",
    "overview",
    "halls",
    "alarms",
    "jobs",
    "devices",
    "kpi",
    "mode",
    "actions",
    "racks/a1-01",
    "plan",
)


async def test_every_document_answers(http: httpx.AsyncClient) -> None:
    for route in ROUTES:
        answer = await http.get(f"/v1/{route}")
        assert answer.status_code == 200, (route, answer.text)


async def test_tokens_are_made_for_the_owner_only(http: httpx.AsyncClient, state: Path) -> None:
    for name in ("token", "viewer.token"):
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600
    assert (state / "token").read_text() != (state / "viewer.token").read_text()


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic {token}", "{token}"])
async def test_without_a_good_token_nothing_is_told(url: str, state: Path, authorization: str) -> None:
    header = authorization.format(token=(state / "token").read_text().strip())
    async with httpx.AsyncClient(base_url=url) as http:
        for route in ROUTES:
            answer = await http.get(f"/v1/{route}", headers={"Authorization": header})
            assert answer.status_code == 401
            assert set(answer.json()) == {"what", "where", "fix", "code", "params"}
        assert (await http.get("/health")).json() == {"status": "ok"}
        assert (await http.get("/metrics")).status_code == 200


async def test_a_viewer_reads_and_does_not_act(url: str, state: Path) -> None:
    headers = {"Authorization": f"Bearer {(state / 'viewer.token').read_text().strip()}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as http:
        assert (await http.get("/v1/status")).status_code == 200
        answer = await http.post("/v1/mode", json={"mode": "observe", "reason": "x"})
        assert answer.status_code == 403
        assert (await http.get("/v1/mode")).json()["mode"] == "auto"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8460"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost"}, 200),
        ({"Origin": "http://localhost:8501"}, 200),
    ],
)
async def test_host_and_origin(http: httpx.AsyncClient, headers: dict[str, str], status: int) -> None:
    assert (await http.get("/v1/status", headers=headers)).status_code == status


async def test_bodies_are_json_of_known_shape(http: httpx.AsyncClient) -> None:
    form = await http.post("/v1/mode", data={"mode": "observe"})
    assert form.status_code == 415
    unknown = await http.post("/v1/mode", json={"mode": "observe", "reason": "x", "more": 1})
    assert unknown.status_code == 422
    huge = await http.post("/v1/mode", json={"mode": "observe", "reason": "x" * 100_000})
    assert huge.status_code == 413
    for answer in (form, unknown, huge, await http.get("/v1/nothing"), await http.get("/v1/racks/zz")):
        assert set(answer.json()) == {"what", "where", "fix", "code", "params"}
        assert "Traceback" not in answer.text


async def test_steering_a_job_is_carried_out_and_recorded(
    http: httpx.AsyncClient, cluster: Any, url: str, state: Path
) -> None:
    def steer() -> None:
        with ApiClient.of_state(state) as api:
            api.set_mode("observe", "nobody else steers")
            cluster.add("job/1", user="\x1b[31mroot")
            action = api.job_action("job/1", "hold", "maintenance")
            assert (action.who, action.verb, action.result) == ("operator", "hold", "done")
            with pytest.raises(CommandError, match="no such job"):
                api.job_action("job-2", "hold", "x")
            with pytest.raises(CommandError, match="can't be given 'resume'"):
                api.job_action("job/1", "resume", "x")
            assert api.actions(target="job/1")[0].reason.english == "operator: maintenance"

    await asyncio.to_thread(steer)


async def test_mode_changes_are_recorded(state: Path, url: str) -> None:
    def change() -> None:
        with ApiClient.of_state(state) as api:
            assert api.set_mode("observe", "drill").mode == "observe"
            assert api.mode().by == "operator"
            assert api.actions()[0].after == "observe"
            assert api.status().mode in ("observe", "auto")

    await asyncio.to_thread(change)


async def test_windows(http: httpx.AsyncClient) -> None:
    names = [view["name"] for view in (await http.get("/v1/kpi?window=15m")).json()["kpis"]]
    assert names == ["pue", "renewable_share", "cue"]
    assert (await http.get("/v1/kpi?window=forever")).status_code == 409


def test_a_port_in_use_is_said_clearly() -> None:
    taken = bind(0)
    with pytest.raises(ConfigError, match="port is in use") as error:
        bind(taken.getsockname()[1])
    taken.close()
    assert "--api-port" in error.value.fix


def test_nothing_started_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="igoudar up"):
        ApiClient.of_state(tmp_path)
    with ApiClient("http://127.0.0.1:9", "x") as api, pytest.raises(LinkError, match="does not answer"):
        api.status()


async def test_metrics_are_served_as_prometheus_wants_them(http: httpx.AsyncClient) -> None:
    answer = await http.get("/metrics")
    assert answer.headers["content-type"] == CONTENT_TYPE
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["igoudar_points"].samples[0].value > 100
    assert families["igoudar_readings"].type == "counter"


async def test_an_approval_names_the_plan_that_was_read(
    http: httpx.AsyncClient, url: str, state: Path, plant: Any, cluster: Any
) -> None:
    plant.powers["pv"] = 0.0
    cluster.add("job-1")
    await http.post("/v1/mode", json={"mode": "advise", "reason": "test"})
    deadline = time.monotonic() + 20
    while not (document := (await http.get("/v1/plan")).json())["jobs"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    answer = await http.post("/v1/jobs/job-1/approve", json={"plan_version": "another", "reason": "x"})
    assert answer.status_code == 409
    assert "the plan has changed" in answer.json()["what"]
    assert (await http.post("/v1/jobs/job-1/approve", json={"reason": "x"})).status_code == 422
    viewer = {"Authorization": f"Bearer {(state / 'viewer.token').read_text().strip()}"}
    body = {"plan_version": document["version"], "reason": "x"}
    assert (await http.post("/v1/jobs/job-1/approve", json=body, headers=viewer)).status_code == 403
    with ApiClient.of_state(state, url) as client:
        found = await asyncio.to_thread(client.plan)
        action = await asyncio.to_thread(client.approve, "job-1", found.version, "read it")
    assert (action.verb, action.target, action.result) == ("approve", "job-1", "done")
