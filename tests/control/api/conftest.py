"""The whole control part on a real port."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from igoudar.control import service
from igoudar.core.model_dsx import Webhook
from igoudar.core.model_people import Listening


@pytest.fixture
def listening() -> Listening:
    """How the API listens; a test's module may say otherwise."""
    return Listening()


@pytest.fixture
def webhook() -> Webhook:
    """Whose signed calls are taken; a test's module may say otherwise."""
    return Webhook()


@pytest.fixture
async def url(
    state: Path, plant: Any, lab: Any, listening: Listening, webhook: Webhook
) -> AsyncIterator[str]:
    """The whole control part on a real port, its first cycle over."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    plant.run(60)
    task = asyncio.create_task(
        service.run(
            replace(lab.site, api=listening, webhook=webhook),
            lab.profiles,
            plant.clock,
            state,
            api_port=0,
            mode="auto",
            ready=found.set_result,
        )
    )
    address = await found
    await until_ready(address)
    yield address
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until_ready(address: str) -> None:
    deadline = time.monotonic() + 20
    async with httpx.AsyncClient(base_url=address) as http:
        while time.monotonic() < deadline:
            if "igoudar_devices " in (await http.get("/metrics")).text:
                return
            await asyncio.sleep(0.05)
    raise AssertionError("no first cycle")


@pytest.fixture
async def http(url: str, state: Path) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {(state / 'token').read_text().strip()}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield client
