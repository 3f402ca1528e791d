"""Who stands behind an event: in advise an operator's own acts at once, one from outside waits for a yes."""

import json
import time
from typing import Any

import httpx
import pytest
from tests.control.api.test_events import becomes, running  # noqa: F401 - a fixture
from tests.control.api.test_webhook import headers, webhook  # noqa: F401

from igoudar.control.api.webhook import PATH

ADVISE = {"mode": "advise", "reason": "test"}
YES = {"reason": "agreed by telephone"}


@pytest.fixture(autouse=True)
async def advise(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/mode", json=ADVISE)).status_code == 200


def suspended(cluster: Any) -> bool:
    return any(call[0] == "suspend" for call in cluster.calls)


async def proposed(http: httpx.AsyncClient, point: str) -> list[Any]:
    found = (await http.get("/v1/proposals")).json()
    return [one for one in found if one["point"] == point]


async def test_in_advise_an_operators_event_acts_by_the_yes_it_was_opened_with(
    http: httpx.AsyncClient, cluster: Any
) -> None:
    asked = {"limit_w": 580e3, "for_s": 3600, "reason": "grid operator"}
    assert (await http.post("/v1/site/cap/preview", json=asked)).json()["acts"] is True
    opened = (await http.post("/v1/site/cap", json=asked)).json()
    assert opened["approved_by"] == ["operator"]
    await becomes("a pause", lambda: suspended(cluster))
    assert not await proposed(http, "suspend")
    again = await http.post(f"/v1/events/{opened['id']}/approve", json=YES)
    assert again.status_code == 409


async def test_in_advise_a_signed_event_waits_until_an_operator_stands_behind_it(
    http: httpx.AsyncClient, url: str, cluster: Any
) -> None:
    body = json.dumps({"kind": "cap", "limit": "580 kW", "reason": "evening peak"}).encode()
    at_s = int(time.time()) + 2
    said = {**headers(body, at_s), "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url) as stranger:
        event = (await stranger.post(PATH, content=body, headers=said)).json()
        unknown = await stranger.post(f"/v1/events/{event['id']}/approve", json=YES)
    assert event["approved_by"] == []
    assert unknown.status_code == 401
    waited = time.monotonic() + 20.0
    while not await proposed(http, "suspend"):
        assert time.monotonic() < waited
    assert not suspended(cluster)
    alarms = (await http.get("/v1/alarms")).json()["alarms"]
    assert any("event_unapproved" in alarm["text"]["code"] for alarm in alarms)
    agreed = await http.post(f"/v1/events/{event['id']}/approve", json=YES)
    assert agreed.json()["approved_by"] == ["operator"]
    await becomes("a pause", lambda: suspended(cluster))
    rows = [row for row in (await http.get("/v1/actions")).json() if row["verb"] == "approve"]
    assert [(row["who"], row["target"]) for row in rows] == [("operator", event["id"])]


async def test_an_unknown_event_is_not_approved(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/events/event-nowhere/approve", json=YES)).status_code == 404
