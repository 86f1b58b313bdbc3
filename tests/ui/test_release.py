"""One release: the story first, then its evidence, all of it in the address."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.ui.conftest import Watch

pytestmark = pytest.mark.browser

CHECKOUT = "/releases/checkout/2.0.0?baseline=1.0.0"
THIN = "\u202f"


def test_a_release_is_told_from_its_story_to_its_evidence(page: Page, shop_url: str, verdict_path: str) -> None:
    page.goto(shop_url + verdict_path)
    story = page.get_by_role("region", name="checkout 2.0.0 is worse than 1.0.0", exact=True)
    expect(story).to_contain_text("Worse")
    expect(story).to_contain_text(re.compile(rf"9\d(\.\d+)?{THIN}% sure"))
    expect(page.get_by_role("heading", level=2).first).to_have_text("checkout 2.0.0 is worse than 1.0.0")

    worst = page.get_by_role("region", name="What is worse")
    expect(worst.get_by_role("listitem").filter(has_text="combine_coupons is new").first).to_contain_text("new")
    for more in page.get_by_role("button", name=re.compile(r"^Show \d+ more$")).all():
        more.click()
    memory = worst.get_by_role("listitem").filter(has_text="process.memory.usage is higher").first
    expect(memory).to_contain_text(re.compile(rf"\d+{THIN}MB → 1\d\d{THIN}MB"))
    expect(memory).to_contain_text(re.compile(r"\+\d+(\.\d+)?\s% … \+\d+"))

    chart = page.get_by_role("img", name=re.compile("^process.memory.usage"))
    evidence = page.get_by_role("article").filter(has=chart)
    evidence.get_by_text("Numbers").click()
    rows = evidence.get_by_role("table").get_by_role("row")
    expect(rows.filter(has_text="1.0.0")).to_contain_text(f"{THIN}MB")
    expect(rows.filter(has_text="2.0.0")).to_contain_text(f"{THIN}MB")
    chart.hover(position={"x": 300, "y": 60})
    expect(chart).to_contain_text(re.compile(rf"1\.0\.0\s*1\d\d{THIN}MB"))

    panel = page.get_by_role("region", name="Operations that changed")
    expect(panel.get_by_role("img").first).to_be_visible()
    expect(panel).to_contain_text(re.compile(r"Shares of each version's own calls\. 1\.0\.0: \d+ calls"))
    expect(panel.get_by_role("list", name="Example traces").first.get_by_role("listitem").first).to_be_visible()

    tested = page.get_by_role("region", name="What was tested").first.get_by_role("row")
    metrics = tested.filter(has=page.get_by_role("rowheader", name="Metrics")).get_by_role("cell")
    expect(metrics.first).to_have_text("Worse")

    page.get_by_role("link", name=re.compile("^process.memory.usage is higher")).first.click()
    expect(evidence).to_be_focused()
    expect(evidence).to_be_in_viewport()

    page.get_by_role("link", name=re.compile("^combine_coupons is new")).first.click()
    expect(page.get_by_role("searchbox", name="Find a function")).to_have_value("combine_coupons")
    expect(page.get_by_text(re.compile(r"^\d+ frames? match"))).to_be_visible()


def test_a_verdict_that_was_given_is_shown_as_it_was_until_it_is_judged_again(
    page: Page, shop_url: str, verdict_path: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(shop_url).partition("?")[0]))
    page.route("**/api/compare?*", lambda route: route.fulfill(json=given))
    number = verdict_path.partition("verdict=")[2]
    given = httpx.get(f"{shop_url}/api/verdicts/{number}", timeout=60).json()
    page.goto(shop_url + verdict_path)
    expect(page.get_by_role("region", name="checkout 2.0.0 is worse than 1.0.0", exact=True)).to_be_visible()
    assert f"/api/verdicts/{number}" in asked
    assert "/api/compare" not in asked
    with page.expect_request("**/api/compare?*"):
        page.get_by_role("button", name="Judge again").click()
    expect(page).to_have_url(re.compile(r"/releases/checkout/2\.0\.0\?baseline=1\.0\.0(?!.*verdict=)"))


def test_too_little_data_says_what_is_missing(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/releases/payment/3.1.0")
    story = page.get_by_role("region", name="Cannot tell whether payment 3.1.0 is worse than 3.0.7")
    expect(story).to_contain_text("At least 50 calls of payment 3.1.0")
    profiles = page.get_by_role("region", name="Where the time and memory go")
    expect(profiles).to_contain_text("Run a continuous profiler")
    expect(profiles).to_contain_text("http://127.0.0.1:4000/pyroscope")


def test_no_worse_is_said_as_plainly(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/releases/cart/1.4.2")
    story = page.get_by_role("region", name="cart 1.4.2 is no worse than 1.4.1")
    expect(story).to_contain_text("Nothing that was tested got worse.")
    expect(page.get_by_text("No metric moved by more than chance would.")).to_be_visible()


def test_another_baseline_can_be_chosen(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/releases/cart/1.4.2?baseline=1.4.1&start=2026-01-01T00:00:00Z")
    page.get_by_label("Compare with").select_option("1.3.9")
    expect(page).to_have_url(f"{page_url}/releases/cart/1.4.2?baseline=1.3.9")
    expect(page.get_by_role("region", name="cart 1.4.2 is no worse than 1.3.9")).to_be_visible()


def test_a_service_s_only_version_says_so(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/releases/catalog/2.2.1")
    expect(page.get_by_role("heading", name=re.compile("is the only version of catalog"))).to_be_visible()


def test_an_unknown_release_says_so(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/releases/checkout/9.9.9")
    expect(page.get_by_role("heading", name="No release 9.9.9 of checkout was seen.")).to_be_visible()


def test_an_error_is_shown_in_the_server_s_words(page: Page, shop_url: str, watch: Watch) -> None:
    page.goto(f"{shop_url}/releases/checkout/2.0.0?baseline=0.0.0")
    expect(page.get_by_role("alert").first).to_contain_text("checkout has no version '0.0.0'; known are 2.0.0, 1.0.0")
    assert watch.errors == [error for error in watch.errors if "404" in error]
    watch.errors.clear()


def test_long_work_shows_and_ends_when_it_is_stopped_or_left(page: Page, page_url: str) -> None:
    held: list[Route] = []
    page.route("**/api/compare?*", lambda route: held.append(route))
    page.goto(page_url + CHECKOUT)
    expect(page.get_by_role("progressbar", name="Comparing the two versions")).to_be_visible()
    # Leaving the page gives up its questions.
    with page.expect_event("requestfailed", lambda request: "/api/compare" in request.url):
        page.get_by_role("navigation", name="Sections").get_by_role("link", name="Releases").click()
    expect(page.get_by_role("heading", name="Releases", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("progressbar", name="Comparing the two versions")).to_be_visible()
    with page.expect_event("requestfailed", lambda request: "/api/compare" in request.url):
        page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    page.unroute("**/api/compare?*")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("region", name="checkout 2.0.0 is worse than 1.0.0", exact=True)).to_be_visible()


def test_evidence_that_fails_leaves_the_rest_alone(page: Page, page_url: str, watch: Watch) -> None:
    page.route("**/api/metrics/range?*", lambda route: route.fulfill(json={"series": "nonsense"}))
    page.goto(page_url + CHECKOUT)
    expect(page.get_by_role("region", name="Metrics that moved")).to_contain_text("This part of the page failed.")
    expect(page.get_by_role("region", name="Operations that changed").get_by_role("img").first).to_be_visible()
    watch.errors.clear()


def test_what_comes_from_telemetry_stays_text(page: Page, page_url: str) -> None:
    evil = "<img src=x onerror=alert(1)>"

    def poisoned(route: Route) -> None:
        body = route.fetch().json()
        body["summary"] = evil
        for finding in body["findings"]:
            finding["title"] = finding["subject"] = evil
            finding["examples"] = [evil]
        route.fulfill(json=body)

    page.route("**/api/compare?*", poisoned)
    page.goto(page_url + CHECKOUT)
    story = page.get_by_role("region", name="checkout 2.0.0 is worse than 1.0.0", exact=True)
    expect(story).to_contain_text(evil)
    assert page.locator("img[src=x]").count() == 0
