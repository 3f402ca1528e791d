"""The API as its own document describes it, fuzzed on a real port."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from igoudar.control.api.roles import NEEDED
from igoudar.control.people.roles import Role
from igoudar.control.people.users import Users
from igoudar.control.records.audit import verify
from igoudar.control.records.state import Records
from igoudar.core.model_people import Listening

SOAK = os.environ.get("IGOUDAR_HYPOTHESIS") == "soak"
EXAMPLES = 300 if SOAK else 8  # of each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def listening() -> Listening:
    return Listening(calls_per_s=10_000.0, burst=100_000)


async def test_the_document_is_for_known_callers_and_whole(http: httpx.AsyncClient, url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as stranger:
        assert (await stranger.get("/v1/openapi.json")).status_code == 401
    document = (await http.get("/v1/openapi.json")).json()
    told = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    declared = {(method, path.replace(":path", "")): role for (method, path), role in NEEDED.items()}
    assert told.keys() <= declared.keys()
    for key, operation in told.items():
        role = declared[key]
        assert operation.get("x-role") == (role.word if role else None), key
        assert bool(operation.get("security")) == (role is not None), key
        assert {"401", "403", "429", "503"} <= operation["responses"].keys(), key


async def test_whatever_is_sent_is_answered_as_declared(url: str, state: Path) -> None:
    records = Records.open(state / "state.sqlite")
    token = Users(records).add("fuzzer", Role.ADMIN, "local:test", datetime(2026, 3, 1, tzinfo=UTC))
    header = {"Authorization": f"Bearer {token}"}
    called = await asyncio.to_thread(fuzz, url, header)
    assert called > 20
    assert verify(records).whole
    records.close()


def fuzz(url: str, header: dict[str, str]) -> int:
    """Every operation with inputs right and wrong; how many operations there are."""
    schema = schemathesis.openapi.from_url(f"{url}/v1/openapi.json", headers=header)
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        strategy = operation.as_strategy()

        @given(case=strategy)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=not SOAK,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def one(case: Any) -> None:
            case.call_and_validate(base_url=url, headers=header, checks=CHECKS)

        one()
    return len(operations)
