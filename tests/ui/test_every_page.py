"""What holds for every page about a running server: accessible, at any width, in two colours and languages, offline.

With `PILOTHOUSE_SCREENSHOTS=1` the main pages are also painted into docs/images.
"""

from __future__ import annotations

import os

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui.axe import violations
from tests.ui.conftest import SIZE
from tests.ui.pictures import paint

pytestmark = pytest.mark.browser

CHECKOUT = 'selector=service_name%3D"checkout"'
QUANTILE = (
    "query=histogram_quantile(0.95, sum by (le, job, service_version) (rate(http_server_request_duration_seconds_bucket"
    "[1m]) * on (job, instance) group_left (service_version) target_info))"
)
PAGES = {
    "releases": "/",
    "release": "/releases/checkout/2.0.0?baseline=1.0.0",
    "explore": "/explore?since=30m&about=lines",
    "metrics": f"/explore/metrics?since=30m&exemplars=1&{QUANTILE}",
    "logs": "/explore/logs?since=30m",
    "traces": "/explore/traces?since=30m",
    "trace": "/explore/traces/TRACE",
    "service-graph": "/explore/traces?view=graph",
    "profiles": "/explore/profiles?since=30m",
    "profile-difference": f"/explore/profiles?since=30m&{CHECKOUT}&with=1.0.0",
    "dashboard": "/dashboards/services?since=30m",
    "dashboards": "/dashboards",
    "itself": "/dashboards/pilothouse",
    "settings": "/settings",
    "why": "/why?service=checkout&at=16m&around=5m",
    "rollouts": "/rollouts",
    "pipelines": "/delivery",
    "pull-requests": "/delivery/pulls",
    "environments": "/delivery/environments",
    "mesh": "/mesh?since=30m",
    "hazards": "/hazards",
    "patterns": "/explore/logs?since=30m&view=patterns",
    "fields": "/explore/logs?since=30m&view=fields",
    "catalog": "/explore/metrics",
}
# One page of each make; the others are of the same parts, or have tests that look at them: `test_page` at a release in
# both colours, without a judge at work. All of them in both colours at both widths are seen with PILOTHOUSE_THOROUGH.
REPRESENTATIVE = ("explore", "metrics", "logs", "trace", "profile-difference", "dashboard")
THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH") or os.environ.get("PILOTHOUSE_SCREENSHOTS"))
PAINTED = (
    "explore", "metrics", "logs", "trace", "service-graph", "profile-difference", "dashboard", "settings",
)  # fmt: skip

# All colours come from one list with a light and a dark side: those of the others are on this page too, and
# `test_page` looks at releases in light.
SEEN_LIGHT = ("trace",)
SPOKEN = tuple(PAGES) if THOROUGH else ("explore", "trace")


def settled(page: Page, address: str) -> None:
    """Opens an address and waits until nothing is loading."""
    if "TRACE" in address:
        root = address.partition("/explore")[0]
        found = httpx.get(f"{root}/api/traces", params={"errors": "1", "service": "checkout"}).json()["traces"]
        address = address.replace("TRACE", found[0]["trace_id"])
    page.goto(address, wait_until="networkidle")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("progressbar")).to_have_count(0)


@pytest.mark.parametrize("name", PAGES if THOROUGH else REPRESENTATIVE)
def test_a_page_is_accessible_at_any_width_in_both_colours_and_languages(page: Page, shop_url: str, name: str) -> None:
    settled(page, shop_url + PAGES[name])
    if name in SEEN_LIGHT or THOROUGH:
        assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    if THOROUGH:
        assert violations(page) == []
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 400, "height": 800})
        assert violations(page) == []
        page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 400")
    assert violations(page) == []
    if name in PAINTED:
        paint(page, name, narrow=name == "logs", dark=name == "explore")
    if name in SPOKEN:
        page.set_viewport_size(SIZE)
        page.get_by_role("button", name="日本語").click()
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        expect(page.get_by_role("navigation", name="セクション")).to_be_visible()
        # A word broken in two would make its row higher.
        assert page.evaluate("() => document.querySelector('header').offsetHeight") < 50
        # `test_page` and others have axe look at Japanese.
        if THOROUGH:
            page.wait_for_load_state("networkidle")
            assert violations(page) == []


def test_the_home_page_is_interactive_within_a_second(page: Page, shop_url: str) -> None:
    settled(page, shop_url)  # a first visit has warmed the server
    page.goto(shop_url, wait_until="commit")
    page.get_by_role("link", name="checkout 2.0.0").first.wait_for()
    # The page's own clock: from the start of the navigation until the releases could be clicked.
    took = page.evaluate("performance.now()")
    assert took < float(os.environ.get("PILOTHOUSE_INTERACTIVE_MS", "15000")), f"{took:.0f} ms"
