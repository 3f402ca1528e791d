"""Who the site's proxy has signed in acts by their own signed token: a real Chromium, a real code flow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from igoudar.control.people.oidc import SignedTokens
from igoudar.core.model_people import Oidc
from tests.dashboard.api_server import ApiServer
from tests.dashboard.test_browser import WAIT_MS, browser, pick
from tests.peers.oidc import AUDIENCE, SignIn, sign_in

__all__ = ["browser"]
pytestmark = pytest.mark.peer("chromium")
ROLES = (("energy-viewers", "viewer"), ("energy-ops", "operator"))


@pytest.fixture
def late() -> list[timedelta]:
    """How much later it is for the API."""
    return [timedelta(0)]


@pytest.fixture
def proxy(dashboard_url: str, campus: ApiServer, tmp_path: Path, late: list[timedelta]) -> Iterator[SignIn]:
    behind = dashboard_url.removeprefix("http://")
    with sign_in(behind, sub="u-1", preferred_username="ada", groups=["energy-ops"]) as running:
        running.save_keys(tmp_path / "jwks.json")
        jwks, claim = str(tmp_path / "jwks.json"), "preferred_username"
        rules = Oidc(running.issuer, AUDIENCE, jwks, ("ES256",), claim, "groups", ROLES)
        campus.signed = SignedTokens(rules, lambda: datetime.now(UTC) + late[0])
        yield running
    campus.signed = None


@pytest.fixture
def page(browser: Browser, proxy: SignIn) -> Iterator[Page]:
    context = browser.new_context(locale="en")
    opened = context.new_page()
    opened.set_default_timeout(2 * WAIT_MS)
    expect.set_options(timeout=2 * WAIT_MS)
    yield opened
    context.close()


def hold(page: Page, proxy: SignIn, reason: str) -> None:
    page.goto(f"{proxy.url}/plan?lang=en")
    pick(page, "ai-0416")
    page.get_by_role("button", name="Hold (1)").click()
    page.get_by_role("dialog").get_by_label("Why").fill(reason)


def test_who_the_site_has_signed_in_needs_no_token_and_acts_by_name(
    page: Page, proxy: SignIn, campus: ApiServer
) -> None:
    campus.actions.clear()
    hold(page, proxy, "drill")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("You act as oidc:ada (operator)")
    expect(dialog.get_by_label("Your token", exact=True)).to_have_count(0)
    dialog.get_by_role("button", name="Hold", exact=True).click()
    expect(dialog).to_have_count(0)
    assert campus.names == ["oidc:ada"]
    assert campus.actions[0][0].endswith("/hold")
    (token,) = proxy.sessions.values()
    assert token not in page.content()  # it stays between proxy and dashboard


def test_the_role_is_the_provider_s_word_and_the_api_s_decision(
    page: Page, proxy: SignIn, campus: ApiServer
) -> None:
    campus.actions.clear()
    proxy.claims["groups"] = ["energy-viewers"]
    hold(page, proxy, "drill")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("oidc:ada (viewer)")
    dialog.get_by_role("button", name="Hold", exact=True).click()
    expect(dialog).to_contain_text("a viewer may not act")
    assert campus.actions == []


def test_a_sign_in_that_is_over_says_so_and_takes_a_token_instead(
    page: Page, proxy: SignIn, campus: ApiServer, late: list[timedelta]
) -> None:
    late[0] = timedelta(hours=1)  # longer than the token lives
    hold(page, proxy, "drill")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Your sign-in does not hold any more")
    expect(dialog.get_by_label("Your token", exact=True)).to_be_visible()
