"""Emergency and demand response through the API of a whole control part."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from igoudar.control.client import ApiClient
from igoudar.core.errors import CommandError
from igoudar.core.model import JobState

PATIENCE_S = 20.0
OVER = {"reason": "over"}


async def becomes(what: str, true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"not in time: {what}"
        await asyncio.sleep(0.02)


async def paused(http: httpx.AsyncClient, count: int) -> None:
    """Until the page counts so many paused jobs: it does once the scheduler's answers are in."""
    for _ in range(500):
        found = (await http.get("/v1/events")).json()
        if {one["lever"]: one["count"] for one in found["levers"]}["jobs"] == count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never {count} paused")


async def told(http: httpx.AsyncClient, verbs: set[str]) -> None:
    """The audit has them; a line is written after the call that it tells of."""
    deadline = time.monotonic() + PATIENCE_S
    while not verbs <= {row["verb"] for row in (await http.get("/v1/actions")).json()}:
        assert time.monotonic() < deadline, f"not in the audit: {verbs}"
        await asyncio.sleep(0.05)


@pytest.fixture(autouse=True)
def running(cluster: Any) -> None:
    started = cluster.clock.now() - timedelta(hours=1)
    for name, flexible in (("flex-1", True), ("flex-2", True), ("urgent-1", False)):
        cluster.add(
            name, hours=5, gpus=32, flexible=flexible, state=JobState.RUNNING, started=started,
            work_done_s=3600.0, begin_at=None,
        )  # fmt: skip


async def test_a_cap_pauses_what_is_flexible_at_once_and_gives_it_back(
    http: httpx.AsyncClient, cluster: Any, plant: Any
) -> None:
    asked = {"limit_w": 580e3, "for_s": 3600, "reason": "grid operator"}
    opened = (await http.post("/v1/site/cap", json=asked)).json()
    assert (opened["kind"], opened["limit_w"]) == ("cap", 580e3)
    await becomes("a pause", lambda: any(call[0] == "suspend" for call in cluster.calls))
    plant.powers["transformer"] = 560e3
    found = (await http.get("/v1/events")).json()
    assert found["acting"] is True
    await paused(http, 1)
    assert (await http.post(f"/v1/events/{opened['id']}/cancel", json=OVER)).json()["state"] == "returning"
    plant.run(600)
    await becomes("the way back", lambda: any(call[0] == "resume" for call in cluster.calls))
    assert not [call for call in cluster.calls if call[1] == "urgent-1"]
    await told(http, {"cap", "cancel", "suspend", "resume"})


async def test_a_preview_says_what_would_move_and_moves_nothing(
    http: httpx.AsyncClient, cluster: Any
) -> None:
    answer = await http.post("/v1/site/cap/preview", json={"limit_w": 580e3, "reason": "what if"})
    tried = answer.json()
    levers = {one["lever"]: one for one in tried["levers"]}
    assert levers["jobs"]["count"] == 1
    assert levers["jobs"]["power_w"] > 20e3
    assert (tried["short_w"], tried["acts"]) == (0.0, True)
    assert not [call for call in cluster.calls if call[0] == "suspend"]
    assert (await http.get("/v1/events")).json()["events"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("shed", {"share": 30, "reason": "x"}),
        ("shed", {"share": 0.3}),
        ("cap", {"limit_w": -1, "reason": "x"}),
        ("cap", {"limit_w": "28 MW", "reason": "x"}),
        ("cap", {"limit_w": 1e6, "reason": "x", "levers": []}),
    ],
)
async def test_what_cannot_be_meant_is_refused(http: httpx.AsyncClient, path: str, body: object) -> None:
    assert (await http.post(f"/v1/site/{path}", json=body)).status_code == 422


async def test_an_unknown_event_has_no_end_and_a_viewer_opens_none(
    http: httpx.AsyncClient, url: str, state: Path
) -> None:
    assert (await http.post("/v1/events/event-nowhere/cancel", json=OVER)).status_code == 404
    headers = {"Authorization": f"Bearer {(state / 'viewer.token').read_text().strip()}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as viewer:
        assert (await viewer.get("/v1/events")).status_code == 200
        refused = await viewer.post("/v1/site/shed", json={"share": 0.1, "reason": "x"})
        assert refused.status_code == 403


async def test_the_client_speaks_it(url: str, state: Path) -> None:
    def talk() -> None:
        with ApiClient(url, (state / "token").read_text().strip()) as client:
            body = {"limit_w": 590e3, "reason": "client", "notice_s": 600.0}
            event = client.open_event("cap", body)
            assert client.events().events[0].id == event.id
            assert client.preview_event("cap", body).limit_w == 590e3
            assert client.cancel_event(event.id, "over").state == "cancelled"
            with pytest.raises(CommandError, match="cancelled already"):
                client.cancel_event(event.id, "over")

    await asyncio.to_thread(talk)
