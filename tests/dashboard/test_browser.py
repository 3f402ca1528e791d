"""The pages in a real Chromium against a real API peer: no request leaves loopback, nothing is cut."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from tests.dashboard import documents
from tests.dashboard.api_server import OPERATOR, ApiServer
from tests.peers import program

pytestmark = pytest.mark.peer("chromium")

SHOTS = Path(__file__).resolve().parents[2] / "test-artifacts" / "dashboard"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"wall": (1920, 1080), "laptop": (1366, 768), "phone": (390, 844)}
PAGES = {"overview": ".ig-flow-area", "halls": ".ig-rack", "jobs": "td", "devices": "td", "alarms": "td"}
WAIT_MS = 15_000
# Streamlit probes its own health below the page's path first (issue 7074), then finds it.
KNOWN_404 = re.compile(r"/(\w+)/_stcore/(health|host-config)$")

# Elements whose text must fit: their content may not be wider or higher than their box.
CUT = """() => [...document.querySelectorAll(
  '.ig-tile p, .ig-tile h3, .ig-arm b, .ig-bus, .ig-panel h2, .ig-line, .ig-rack[data-rack],'
  + ' .ig-switch button, .ig-warm-row, .ig-legend span, .ig-chip.counts, .ig-chip.clock, .ig-button, th')]
  .filter((e) => e.offsetParent && (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0))
  .map((e) => e.className + ': ' + e.textContent.slice(0, 40))"""

# Labels of the flow that lie on one another or outside their panel.
ARMS = """() => {
  const panel = document.querySelector('.ig-flow').getBoundingClientRect();
  const boxes = [...document.querySelectorAll('.ig-arm')].map((e) => {
    const range = document.createRange(); range.selectNodeContents(e);
    return [range.getBoundingClientRect(), e.textContent];
  });
  const bad = boxes.filter(([b]) => b.left < panel.left || b.right > panel.right || b.bottom > panel.bottom);
  boxes.forEach(([a, x], i) => boxes.slice(i + 1).forEach(([b, y]) => {
    const apart = a.left >= b.right || b.left >= a.right || a.top >= b.bottom - 2 || b.top >= a.bottom - 2;
    if (!apart) bad.push([a, x + '/' + y]);
  }));
  return bad.map(([, text]) => text);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, dashboard_url: str) -> Iterator[OpenPage]:
    """Opens a page; when the test ends, no request may have left loopback and no script may have failed."""
    seen: list[str] = []
    failed: list[str] = []
    contexts = []

    def watch(response: Response) -> None:
        if response.status >= 400 and not KNOWN_404.search(response.url):
            failed.append(f"{response.status} {response.url}")

    def opened(name: str, *, lang: str = "en", scheme: str = "light", size: str = "laptop") -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda request: seen.append(request.url))
        page.on("response", watch)
        page.on("websocket", lambda socket: seen.append(socket.url))
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(f"{dashboard_url}/{'' if name == 'overview' else name}?lang={lang}")
        page.wait_for_selector(PAGES[name])
        return page

    yield opened
    for context in contexts:
        context.close()
    outside = {url for url in seen if urlsplit(url).scheme not in ("data", "blob")}
    outside = {url for url in outside if urlsplit(url).hostname != "127.0.0.1"}
    assert seen
    assert outside == set()
    assert failed == []


def resize(page: Page, size: str) -> None:
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    page.wait_for_function(
        "(w) => document.documentElement.clientWidth === w"
        " && [...document.querySelectorAll('canvas')].every((c) => c.clientWidth < w)",
        arg=SIZES[size][0],
    )


COMBINATIONS = [
    *(
        (name, scheme, lang)
        for name in ("overview", "halls")
        for scheme in ("light", "dark")
        for lang in ("en", "fr")
    ),
    *((name, *both) for name in ("jobs", "devices", "alarms") for both in (("light", "en"), ("dark", "fr"))),
]


@pytest.mark.parametrize(("name", "scheme", "lang"), COMBINATIONS)
def test_every_page_fits_every_screen(open_page: OpenPage, name: str, scheme: str, lang: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = open_page(name, lang=lang, scheme=scheme)
    if name == "overview":
        page.wait_for_selector("canvas")
    for size in SIZES:
        resize(page, size)
        page.wait_for_timeout(400)  # the canvas redraws in its own time; a picture needs it settled
        page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}-{lang}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
        assert page.evaluate(CUT) == [], size
        if name == "overview":
            assert page.evaluate(ARMS) == [], size
    assert page.title() != "1"  # a name in the documents tries to run a script
    assert page.locator("[class*=ig-] img").count() == 0


def test_light_and_dark_follow_the_browser(open_page: OpenPage) -> None:
    colours = [
        open_page("overview", scheme=scheme).evaluate(
            "getComputedStyle(document.querySelector('.ig-panel')).backgroundColor"
        )
        for scheme in ("light", "dark")
    ]
    assert colours == ["rgb(243, 244, 245)", "rgb(35, 41, 45)"]


def test_only_pages_that_exist_are_offered_and_the_language_stays(open_page: OpenPage) -> None:
    page = open_page("overview", lang="fr")
    links = page.get_by_test_id("stTopNavLink")
    expect(links).to_have_text(
        ["Vue d’ensemble", "Salles et baies", "Travaux", "Appareils et données", "Alarmes"]
    )
    links.nth(1).click()
    expect(page.locator(".ig-floor h2")).to_contain_text("Plan des salles")
    page.wait_for_url("**/halls?lang=fr")


def test_a_rack_opens_by_mouse_and_by_keys_and_ticks_keep_the_focus(
    open_page: OpenPage, campus: ApiServer
) -> None:
    page = open_page("halls")
    detail = page.locator(".ig-detail h2")
    expect(detail).to_contain_text("C3-09")  # the warmest
    assert page.locator(".ig-rack[tabindex='0']").count() == 1
    page.click("[data-rack='A1-03']")
    expect(detail).to_contain_text("A1-03")
    page.keyboard.press("Tab")
    page.focus("[data-rack='A1-03']")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(detail).to_contain_text("A2-04")
    halls = documents.halls().model_dump(mode="json")
    warmer = [{**rack, "inlet_c": 19.5} if rack["name"] == "A1-01" else rack for rack in halls["racks"]]
    campus.overrides["/v1/halls"] = {"racks": warmer}
    try:
        expect(page.locator("[data-rack='A1-01']")).to_have_text("19.5")
    finally:
        campus.overrides.clear()
    assert page.evaluate("document.activeElement.dataset.rack") == "A2-04"
    assert page.locator(".ig-rack[tabindex='0']").count() == 1
    page.click("[data-view='power']")
    expect(page.locator("[data-rack='C3-09']")).not_to_have_text("28.9")


def test_nothing_looks_live_when_the_api_is_gone(open_page: OpenPage, campus: ApiServer) -> None:
    page = open_page("overview")
    expect(page.locator(".ig-tile b").first).to_have_text("91.6")
    campus.stop()
    try:
        expect(page.locator(".ig-banner")).to_contain_text("Not live")
        expect(page.locator(".ig-tile b").first).to_have_text("–")
        expect(page.locator(".ig-flow.ig-none").first).to_contain_text("no data")
        expect(page.locator(".st-key-ig_chart")).to_have_css("opacity", "0.35")
        assert set(page.locator(".ig-tile b").all_inner_texts()) == {"–"}
        page.screenshot(path=SHOTS / "overview-laptop-light-en-not-live.png")
    finally:
        campus.start()
    expect(page.locator(".ig-tile b").first).to_have_text("91.6")
    expect(page.locator(".ig-banner")).to_have_count(0)


def test_the_alarm_region_speaks_only_on_change(open_page: OpenPage, campus: ApiServer) -> None:
    page = open_page("overview")
    live = page.locator(".ig-strip .ig-live")
    expect(live).to_have_attribute("aria-live", "polite")
    page.evaluate(
        "window.changes = 0; new MutationObserver(() => window.changes++).observe("
        "document.querySelector('.ig-strip .ig-live'), {childList: true, characterData: true, subtree: true})"
    )
    campus.overrides["/v1/status"] = {"time": "2026-06-17T10:21:00Z"}
    try:
        expect(page.locator(".ig-chip.clock b")).to_have_text("11:21:00")
        assert page.evaluate("window.changes") == 0
        campus.overrides["/v1/alarms"] = {"counts": {"1": 1, "2": 1, "3": 2}}
        expect(live).to_contain_text("4")
        assert page.evaluate("window.changes") == 1
    finally:
        campus.overrides.clear()


def test_a_job_is_held_with_the_persons_own_token(open_page: OpenPage, campus: ApiServer) -> None:
    page = open_page("jobs")
    page.click("[data-act='hold:ai-0413']")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("deadline is missed")
    page.screenshot(path=SHOTS / "jobs-laptop-light-en-hold.png")
    confirm = dialog.get_by_role("button", name="Hold", exact=True)
    confirm.click()
    expect(dialog).to_contain_text("Both a reason and your token are needed.")
    dialog.get_by_label("Why").fill("cable work in the row")
    dialog.get_by_label("Your token", exact=True).fill("not mine")
    confirm.click()
    expect(dialog).to_contain_text("Not done")
    dialog.get_by_label("Your token", exact=True).fill(OPERATOR)
    confirm.click()
    expect(dialog).to_have_count(0)
    assert campus.actions[-1] == ("/v1/jobs/ai-0413/hold", {"reason": "cable work in the row"})


def test_an_alarm_is_acknowledged_and_cancel_does_nothing(open_page: OpenPage, campus: ApiServer) -> None:
    page = open_page("alarms")
    before = len(campus.actions)
    page.click("[data-act='ack:a1']")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert len(campus.actions) == before
    page.click("[data-act='ack:a1']")
    dialog.get_by_label("Why").fill("seen, on my way")
    dialog.get_by_label("Your token", exact=True).fill(OPERATOR)
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_have_count(0)
    assert campus.actions[-1] == ("/v1/alarms/a1/acknowledge", {"comment": "seen, on my way"})
