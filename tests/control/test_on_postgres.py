"""The whole control part with its records in a real PostgreSQL: same API, the lease in a row."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.peers.postgres import Server, postgres

from igoudar.control import service
from igoudar.control.client import ApiClient
from igoudar.control.records.audit import verify
from igoudar.control.records.opening import open_records
from igoudar.core.errors import LinkError
from igoudar.core.model_people import Auditing

WAIT_S = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres() as running:
        yield running


def use(state: Path) -> None:
    end = time.monotonic() + WAIT_S
    with ApiClient.of_state(state) as api:
        while True:
            try:
                api.overview()
                break
            except LinkError:
                assert time.monotonic() < end
                threading.Event().wait(0.05)
        api.set_mode("observe", "drill")
        (line, *_) = api.actions()
        assert (line.who, line.before, line.after) == ("operator", "auto", "observe")
        assert api.mode().by == "operator"
        assert api.jobs() is not None
        assert api.alarms() is not None


async def test_the_api_works_and_the_audit_is_whole(
    server: Server, state: Path, plant: Any, lab: Any
) -> None:
    rules = Auditing(url_file=str(server.create(state)))
    plant.run(60)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    site = replace(lab.site, audit=rules)
    part = service.run(
        site, lab.profiles, plant.clock, state, api_port=0, mode="auto", ready=found.set_result
    )
    task = asyncio.create_task(part)
    await asyncio.wait((task, found), return_when=asyncio.FIRST_COMPLETED)
    try:
        await found
        await asyncio.to_thread(use, state)
    finally:
        task.cancel()
        await asyncio.wait((task,))
    assert not (state / "state.sqlite").exists()
    assert not (state / "writer.lock").exists()
    records = open_records(rules, state)
    assert verify(records).whole
    assert records.actions()
    records.close()
