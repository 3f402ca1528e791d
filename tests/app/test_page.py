"""The page of a living site in a real browser: what the README shows."""

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, sync_playwright

from tests.app.live import up, wait_until
from tests.conftest import ROOT
from tests.peers import program

pytestmark = pytest.mark.xdist_group("live")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update"),
    *("--disable-background-networking", "--disable-sync"),
)
ARTEFACTS = ROOT / "test-artifacts" / "live"
SHOWN = "IGOUDAR_WRITE_DOCS"


def test_the_overview_of_a_living_site_asks_nobody_outside(tmp_path: Path) -> None:
    chromium = program("chromium")
    asked: list[str] = []
    with up(tmp_path / "state", "--speed", "600") as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme="light")
        page.on("request", lambda request: asked.append(_host(request)))
        page.goto(site.page_url)
        page.wait_for_selector("text=PUE", timeout=60_000)
        with site.api() as api:
            wait_until("a PUE", lambda: api.status().pue)
            wait_until("jobs", lambda: api.status().jobs_running)
        wait_until("numbers on the page", lambda: _has_numbers(page))
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTEFACTS / "overview.png")
        browser.close()
    assert set(asked) - {"data", "blob"} == {"127.0.0.1"}
    if os.environ.get(SHOWN) == "1":
        shutil.copy(ARTEFACTS / "overview.png", ROOT / "docs" / "overview.png")


def _host(request: Request) -> str:
    return urlsplit(request.url).hostname or request.url.split(":")[0]


def _has_numbers(page: Page) -> bool:
    page.wait_for_timeout(200)  # lets the browser work; the wait itself is for the words below
    text = page.inner_text("body")
    return (" kW" in text and "No active alarm" in text) or "acknowledged" in text
