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
PAGES = {
    "overview": ".ig-flow-area",
    "halls": ".ig-rack",
    "plan": "td",
    "devices": "td",
    "alarms": "td",
    "control": "td",
}
WAIT_MS = 15_000
# Streamlit probes its own health below the page's path first (issue 7074), then finds it.
KNOWN_404 = re.compile(r"/(\w+)/_stcore/(health|host-config)$")

# Elements whose text must fit: their content may not be wider or higher than their box.
CUT = """() => [...document.querySelectorAll(
  '.ig-tile p, .ig-tile h3, .ig-arm b, .ig-bus, .ig-panel h2, .ig-line, .ig-rack[data-rack],'
  + ' .ig-switch button, .ig-warm-row, .ig-legend span, .ig-chip.counts, .ig-chip.clock, .ig-button, th,'
  + ' .ig-origin p')]
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


FRESH = "(version) => document.querySelector('.ig-origin').textContent.includes(version)"
SETTLED = """() => {
  const drawn = [...document.querySelectorAll('canvas')].map((c) => c.toDataURL()).join();
  igStill.times = drawn === igStill.drawn ? igStill.times + 1 : 0;
  igStill.drawn = drawn;
  return !drawn || igStill.times >= 4;
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


def settle(page: Page) -> None:
    """Wait until no canvas has changed for a while: a chart redraws in its own time after a resize."""
    page.evaluate("window.igStill = {drawn: '', times: 0}")
    page.wait_for_function(SETTLED, polling=100)


COMBINATIONS = [
    *(
        (name, scheme, lang)
        for name in ("overview", "plan", "halls")
        for scheme in ("light", "dark")
        for lang in ("en", "fr")
    ),
    *(
        (name, *both)
        for name in ("devices", "alarms", "control")
        for both in (("light", "en"), ("dark", "fr"))
    ),
]


@pytest.mark.parametrize(("name", "scheme", "lang"), COMBINATIONS)
def test_every_page_fits_every_screen(open_page: OpenPage, name: str, scheme: str, lang: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = open_page(name, lang=lang, scheme=scheme)
    if name in ("overview", "plan"):
        page.wait_for_selector("canvas")
    for size in SIZES:
        resize(page, size)
        settle(page)
        page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}-{lang}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
        assert page.evaluate(CUT) == [], size
        if name == "overview":
            assert page.evaluate(ARMS) == [], size
    assert page.title() != "1"  # a name in the documents tries to run a script
    assert page.locator("[class*=ig-] img").count() == 0


def test_light_and_dark_follow_the_browser(open_page: OpenPage) -> None:
    for scheme, panel in (("light", "rgb(243, 244, 245)"), ("dark", "rgb(35, 41, 45)")):
        page = open_page("overview", scheme=scheme)
        expect(page.locator(".ig-panel").first).to_have_css("background-color", panel)


def test_only_pages_that_exist_are_offered_and_the_language_stays(open_page: OpenPage) -> None:
    page = open_page("overview", lang="fr")
    links = page.get_by_test_id("stTopNavLink")
    expect(links).to_have_text(
        [
            "Vue d’ensemble",
            "Plan et travaux",
            "Salles et baies",
            "Appareils et données",
            "Alarmes",
            "Commande",
        ]
    )
    links.nth(2).click()
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


def test_the_card_of_a_single_hall_is_no_wider_than_a_card(open_page: OpenPage, campus: ApiServer) -> None:
    halls = documents.halls().model_dump(mode="json")
    only = halls["halls"][0]["name"]
    racks = [rack for rack in halls["racks"] if rack["hall"] == only]
    campus.overrides["/v1/halls"] = {"halls": halls["halls"][:1], "racks": racks}
    try:
        page = open_page("halls", size="wall")
        card = page.locator(".ig-card").bounding_box()
        assert card is not None
        assert 200 < card["width"] < 560
    finally:
        campus.overrides.clear()


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


def pick(page: Page, *jobs: str) -> None:
    for job in jobs:
        page.locator(f"[data-pick='{job}']").check()


def sign(page: Page, reason: str, token: str = OPERATOR) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").fill(reason)
    dialog.get_by_label("Your token", exact=True).fill(token)


def test_a_job_is_held_with_the_persons_own_token(open_page: OpenPage, campus: ApiServer) -> None:
    page = open_page("plan")
    pick(page, "ai-0416")
    page.get_by_role("button", name="Hold (1)").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("deadline is missed")
    confirm = dialog.get_by_role("button", name="Hold", exact=True)
    confirm.click()
    expect(dialog).to_contain_text("Both a reason and your token are needed.")
    sign(page, "cable work in the row", "not mine")
    confirm.click()
    expect(dialog).to_contain_text("Not done")
    sign(page, "cable work in the row")
    confirm.click()
    expect(dialog).to_have_count(0)
    assert campus.actions[-1] == ("/v1/jobs/ai-0416/hold", {"reason": "cable work in the row"})


def test_each_button_counts_the_picked_jobs_it_can_act_on_and_ticks_keep_them(
    open_page: OpenPage, campus: ApiServer
) -> None:
    page = open_page("plan")
    buttons = page.locator("[data-picked]")
    expect(buttons).to_have_text(["Approve (0)", "Hold (0)", "Release (0)"])
    expect(buttons.first).to_be_disabled()
    assert page.locator("[data-pick='ai-0415']").count() == 0  # urgent: not ours to time
    page.locator("[data-pick='ai-0413']").focus()
    page.keyboard.press("Space")
    pick(page, "ai-0412", "ai-0416")
    expect(buttons).to_have_text(["Approve (1)", "Hold (2)", "Release (1)"])
    page.locator("[data-pick='ai-0413']").focus()
    jobs = documents.plan().model_dump(mode="json")["jobs"]
    campus.overrides["/v1/plan"] = {
        "jobs": [{**job, "racks": 7.5} for job in jobs if job["job_id"] != "ai-0416"]
    }
    campus.overrides["/v1/jobs"] = {
        "jobs": [j for j in documents.jobs().model_dump(mode="json")["jobs"] if j["job_id"] != "ai-0416"]
    }
    try:
        expect(page.locator("[data-part='waiting']")).to_contain_text("7.5")
        expect(buttons).to_have_text(["Approve (1)", "Hold (1)", "Release (1)"])
        assert page.evaluate("document.activeElement.dataset.pick") == "ai-0413"
    finally:
        campus.overrides.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_proposals_are_approved_by_the_plan_that_was_read(
    open_page: OpenPage, campus: ApiServer, scheme: str
) -> None:
    page = open_page("plan", scheme=scheme)
    expect(page.locator("[aria-label*='Plan from 11:15']").first).to_be_attached()  # the chart, in words
    before = len(campus.actions)
    pick(page, "ai-0413", "ai-0414")
    page.get_by_role("button", name="Approve (2)").click()
    dialog = page.get_by_role("dialog")
    for stated in ("jobs: 2 · 17.0 MWh", "slack", "at the latest", "all from sun"):
        expect(dialog).to_contain_text(stated)
    expect(dialog.get_by_role("button", name=re.compile("Cancel|Approve"))).to_have_text(
        ["Cancel", "Approve"]
    )
    page.screenshot(path=SHOTS / f"plan-confirm-laptop-{scheme}.png")
    sign(page, "agreed with the users")
    campus.overrides["/v1/plan"] = {"version": "p-0418"}
    try:
        page.wait_for_function(FRESH, arg="p-0418")  # the screen has the new plan, the dialog the old one
        dialog.get_by_role("button", name="Approve").click()
        expect(dialog).to_contain_text("The plan or the jobs changed")
        assert len(campus.actions) == before
        dialog.get_by_role("button", name="Approve").click()
        expect(dialog).to_have_count(0)
    finally:
        campus.overrides.clear()
    sent = {"plan_version": "p-0418", "reason": "agreed with the users"}
    assert campus.actions[before:] == [
        ("/v1/jobs/ai-0413/approve", sent),
        ("/v1/jobs/ai-0414/approve", sent),
    ]
    expect(page.get_by_role("button", name="Approve (0)")).to_be_visible()  # nothing stays picked


def test_without_a_plan_the_page_says_so_and_jobs_can_still_be_held(
    open_page: OpenPage, campus: ApiServer
) -> None:
    why = {"code": "test.none", "params": {}, "english": "No forecast yet."}
    none: dict[str, object] = {
        "source": "none",
        "why": why,
        "steps": [],
        "jobs": [],
        "gave_way": [],
        "notes": [],
        "issued_at": None,
    }
    campus.overrides["/v1/plan"] = none
    try:
        page = open_page("plan")
        expect(page.locator(".ig-flow.ig-none")).to_contain_text("no data")
        expect(page.locator(".ig-origin")).to_contain_text("No plan No forecast yet.")
        expect(page.locator("canvas")).to_have_count(0)
        pick(page, "ai-0416")
        expect(page.get_by_role("button", name="Hold (1)")).to_be_enabled()
    finally:
        campus.overrides.clear()


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


CONTROL_ACTS = [
    (
        "say_yes:c-0812",
        "second one must be another person",
        ("/v1/proposals/c-0812/approve", {"reason": "agreed"}),
    ),
    ("say_no:c-0813", "It is not sent", ("/v1/proposals/c-0813/decline", {"reason": "agreed"})),
    (
        "let_go:cooling-plant setpoint_c",
        "19.5 °C · s.amrani",
        ("/v1/overrides/release", {"target": "cooling-plant", "point": "setpoint_c", "reason": "agreed"}),
    ),
    ("end_event:event-7", "returns along the ramp", ("/v1/events/event-7/cancel", {"reason": "agreed"})),
    (
        "mode:battery auto",
        "Battery: advise → auto",
        ("/v1/mode/battery", {"mode": "auto", "reason": "agreed"}),
    ),
    ("mode:site observe", "Site: auto → observe", ("/v1/mode", {"mode": "observe", "reason": "agreed"})),
    ("hands_off:site", "no write", ("/v1/handsoff", {"on": True, "reason": "agreed"})),
]


@pytest.mark.parametrize(("act", "stated", "sent"), CONTROL_ACTS)
def test_what_acts_states_its_consequence_and_takes_the_persons_token(
    open_page: OpenPage, campus: ApiServer, act: str, stated: str, sent: tuple[str, dict[str, object]]
) -> None:
    page = open_page("control")
    page.click(f"[data-act='{act}']")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(stated)
    sign(page, "agreed")
    dialog.get_by_test_id("stFormSubmitButton").last.get_by_role("button").click()
    expect(dialog).to_have_count(0)
    assert campus.actions[-1] == sent


def test_a_limit_that_holds_is_shown_against_the_load(open_page: OpenPage, campus: ApiServer) -> None:
    page = open_page("control")
    expect(page.locator(".ig-target")).to_have_count(1)
    expect(page.locator(".ig-target b")).to_have_text("Facility load: 26.4 MW · limit 26.9 MW")
    expect(page.locator(".ig-event")).to_contain_text("paused jobs 11.2 MW")
    expect(page.locator("[data-part='events']")).to_contain_text("59 kept, 0 missed")
    campus.overrides["/v1/events"] = {"load_w": 30e6}
    try:
        expect(page.locator(".ig-target.over")).to_have_count(1)
    finally:
        campus.overrides.clear()


def test_hands_off_is_said_aloud_on_its_page(open_page: OpenPage, campus: ApiServer) -> None:
    campus.overrides["/v1/handsoff"] = {"on": True, "who": "s.amrani", "why": "smoke in hall B"}
    try:
        page = open_page("control")
        expect(page.locator(".ig-banner")).to_contain_text("s.amrani")
        expect(page.locator(".ig-banner")).to_contain_text("smoke in hall B")
        expect(page.locator("[data-act='hands_on:site']")).to_be_visible()
    finally:
        campus.overrides.clear()
