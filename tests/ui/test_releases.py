"""Home: which releases there are, and whether they are worse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui.conftest import Watch

pytestmark = pytest.mark.browser


def test_home_has_every_service_with_its_versions_their_verdicts_and_times(page: Page, page_url: str) -> None:
    page.goto(page_url)
    releases = page.get_by_role("list", name="Releases of checkout").get_by_role("listitem")
    newest = releases.filter(has=page.get_by_role("link", name="checkout 2.0.0")).first
    expect(newest).to_contain_text("Worse")
    expect(newest).to_contain_text("POST /checkout takes 41 ms instead of 9.1 ms")
    expect(newest).to_contain_text(">99.9 % sure".replace(" ", "\u202f", 1))
    oldest = releases.filter(has=page.get_by_role("link", name="checkout 1.0.0")).first
    expect(oldest).to_contain_text("Not judged")
    expect(oldest).to_contain_text("there is none before it to compare with")

    expect(page.get_by_role("heading", level=2).first).to_have_text("payment")
    names = page.get_by_role("heading", level=2).all_inner_texts()
    assert names.index("payment") < names.index("checkout") < names.index("cart")
    # A time line says in words what it draws.
    line = page.get_by_role("list", name="Time line of cart")
    expect(line.get_by_role("link")).to_have_count(5)
    expect(line.get_by_role("link", name=re.compile(r"cart 1\.4\.0, Worse, first seen"))).to_be_visible()
    rows = page.get_by_role("list", name="Releases of cart")
    expect(rows).to_contain_text("95\u202f% sure that nothing that matters most is worse by a quarter")
    expect(rows.get_by_role("link")).to_have_count(3)
    page.get_by_role("button", name="Show 2 older versions").click()
    expect(rows.get_by_role("link")).to_have_count(5)

    time = page.get_by_role("list", name="Releases of checkout").locator("time").first
    expect(time).to_have_attribute("title", re.compile(r"^\S.* · \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    expect(time).to_have_attribute("datetime", re.compile(r"Z$"))

    page.get_by_role("list", name="Releases of checkout").get_by_role("link", name="checkout 2.0.0").click()
    expect(page.get_by_role("heading", name="checkout 2.0.0", level=1)).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/releases/checkout/2\.0\.0\?baseline=1\.0\.0&start="))


def test_filters_are_in_the_address(page: Page, page_url: str) -> None:
    page.goto(page_url)
    page.get_by_role("searchbox", name="Find a service or version").fill("ca")
    page.get_by_role("group", name="Show verdicts").get_by_role("button", name="Worse 1", exact=True).click()
    expect(page).to_have_url(f"{page_url}/?find=ca&verdict=worse")
    expect(page.get_by_role("heading", level=2)).to_have_text(["cart"])
    page.reload()
    expect(page.get_by_role("heading", level=2)).to_have_text(["cart"])
    expect(page.get_by_role("list", name="Releases of cart").get_by_role("link")).to_have_count(1)
    # One that fits nothing can be undone.
    page.get_by_role("searchbox", name="Find a service or version").fill("nothing-like-this")
    expect(page.get_by_text("No release matches.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("heading", name="checkout", level=2)).to_be_visible()


def test_an_empty_server_says_where_to_point_an_sdk(page: Page, empty_url: str) -> None:
    page.goto(empty_url)
    expect(page.get_by_role("heading", name="No telemetry has arrived yet")).to_be_visible()
    expect(page.get_by_text("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318")).to_be_visible()
    expect(page.get_by_text("http://127.0.0.1:4317", exact=True)).to_be_visible()
    expect(page.get_by_text("http://127.0.0.1:4000/pyroscope", exact=True)).to_be_visible()


def test_a_server_that_went_away_is_said_in_words(page: Page, page_url: str, watch: Watch) -> None:
    page.route("**/api/releases", lambda route: route.abort())
    page.goto(page_url)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The server does not answer")
    page.unroute("**/api/releases")
    alert.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="checkout", level=2)).to_be_visible()
    assert all("Failed to load resource" in error for error in watch.errors)
    watch.errors.clear()


def test_what_was_known_stays_when_the_server_goes_away(own_page: Page, page_url: str, watch: Watch) -> None:
    page = own_page
    page.clock.install()
    page.goto(page_url)
    expect(page.get_by_role("heading", name="checkout", level=2)).to_be_visible()

    def gone(route: Route) -> None:
        route.fulfill(status=500, body="broken")

    page.route("**/api/releases", gone)
    page.clock.run_for(11_000)
    expect(page.get_by_text("this is what it said last")).to_be_visible()
    expect(page.get_by_role("heading", name="checkout", level=2)).to_be_visible()
    watch.errors.clear()
