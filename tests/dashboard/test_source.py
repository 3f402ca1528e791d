from pathlib import Path

import pytest

from igoudar.dashboard import source as source_module
from igoudar.dashboard.source import Source
from tests.dashboard.api_server import ApiServer


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "FRESH_S", 0.0)


def test_documents_arrive(api: ApiServer, viewer_token: Path) -> None:
    source = Source(api.url, viewer_token)
    overview = source.overview()
    assert overview.problem == ""
    assert overview.document is not None
    assert overview.document.site == "dakhla-phase1"
    rack = source.rack("C3-09").document
    assert rack is not None
    assert rack.gpus == 72


@pytest.mark.usefixtures("impatient")
def test_a_dead_api_leaves_no_document_and_comes_back(api: ApiServer, viewer_token: Path) -> None:
    source = Source(api.url, viewer_token)
    assert source.status().document is not None
    api.stop()
    dead = source.status()
    assert dead.document is None
    assert dead.problem
    api.start()
    assert source.status().document is not None


@pytest.mark.usefixtures("impatient")
def test_a_refused_token_is_a_problem_until_it_is_replaced(api: ApiServer, viewer_token: Path) -> None:
    right = viewer_token.read_text()
    viewer_token.write_text("wrong")
    source = Source(api.url, viewer_token)
    assert source.status().problem
    viewer_token.write_text(right)
    assert source.status().document is not None


def test_a_missing_token_names_its_file(api: ApiServer, tmp_path: Path) -> None:
    assert "nowhere.token" in Source(api.url, tmp_path / "nowhere.token").status().problem
