from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.peers.postgres import Server, postgres

from igoudar.control.records.opening import open_records
from igoudar.control.records.state import Records
from igoudar.core.model_people import Auditing


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def rules(request: pytest.FixtureRequest, tmp_path: Path) -> Auditing:
    """How a site would say where its records are: every test runs over both databases."""
    if request.param == "sqlite":
        return Auditing()
    running: Server = request.getfixturevalue("server")
    return Auditing(url_file=str(running.create(tmp_path)))


@pytest.fixture
def records(rules: Auditing, tmp_path: Path) -> Iterator[Records]:
    opened = open_records(rules, tmp_path)
    yield opened
    opened.close()
