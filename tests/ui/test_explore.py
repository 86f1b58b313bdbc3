"""All four signals in step, and the ways between them."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

EXPLORE = "/explore"


def test_all_four_signals_stand_side_by_side_say_what_is_different_and_keep_a_time(page: Page, shop_url: str) -> None:
    page.goto(shop_url + EXPLORE)
    expect(page.get_by_role("region", name="Metrics", exact=True).get_by_role("img")).to_be_visible()
    expect(page.get_by_role("region", name="Logs").get_by_role("img")).to_be_visible()
    expect(page.get_by_role("region", name="Traces").get_by_role("img")).to_be_visible()
    expect(page.get_by_role("region", name="Profiles").get_by_role("application")).to_be_visible()

    pane = page.get_by_role("region", name="What is different about these?")
    pane.get_by_role("button", name="Error lines").click()
    row = pane.get_by_role("row").filter(has_text="service.version=2.0.0")
    expect(row).to_contain_text(re.compile(r"9\d(\.\d)?\s%"))
    row.get_by_role("link").click()
    expect(page.get_by_role("textbox", name="Labels")).to_have_value('service_version="2.0.0"')

    # So can be asked of any lines or spans that were found.
    page.goto(f"{shop_url}/explore/logs?find=coupon")
    page.get_by_role("link", name="What is different about these?").click()
    expect(page).to_have_url(re.compile("/explore\\?about=lines&find=coupon"))
    expect(pane.get_by_role("textbox", name="Find in lines")).to_have_value("coupon")
    expect(pane.get_by_role("row").filter(has_text="service.version=2.0.0")).to_contain_text(re.compile(r"100\s%"))

    # The time can be chosen, and is kept between pages.
    page.get_by_label("Time range").select_option("choose")
    dialog = page.get_by_role("dialog", name="Choose two times…")
    dialog.get_by_label("From").fill("some day")
    expect(dialog.get_by_role("alert")).to_have_text("“some day” is not a time.")
    dialog.get_by_label("From").fill("yesterday 14:00")
    expect(dialog.get_by_text("2026-11-25 14:00, 20m ago")).to_have_count(0)
    dialog.get_by_label("From").fill("2026-01-02 03:04:05")
    dialog.get_by_label("Until").fill("2026-01-02T02:00:00")
    expect(dialog.get_by_role("alert")).to_have_text("The end must be after the beginning.")
    dialog.get_by_label("Until").fill("2026-01-02T04:00:00")
    dialog.get_by_role("button", name="Use these times").click()
    expect(page).to_have_url(re.compile(r"start=2026-01-02T02%3A04%3A05.000Z&end=2026-01-02T03%3A00"))
    expect(page.get_by_text("No trace fits.")).to_be_visible()
    page.get_by_role("region", name="Logs").get_by_role("link", name="Open by itself").click()
    expect(page).to_have_url(re.compile(r"/explore/logs\?(.*&)?start=2026-01-02T02"))


def test_a_stretch_marked_in_one_pane_narrows_all(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}{EXPLORE}?since=15m")
    # What comes later would move the chart away from under the pointer.
    slowest = page.get_by_role("list", name="The slowest traces").get_by_role("listitem")
    expect(slowest.first).to_be_visible()
    expect(page.get_by_role("region", name="Metrics", exact=True).get_by_role("img")).to_be_visible()
    expect(page.get_by_role("region", name="Profiles").get_by_role("application")).to_be_visible()
    chart = page.get_by_role("region", name="Logs").get_by_role("img")
    expect(chart).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    box = chart.bounding_box()
    assert box is not None
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 30, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"start=.*&end="))
    start = re.search(r"start=([^&]+)", page.url)
    assert start is not None
    wanted = {"/api/traces?", "/api/logs/query?", "/api/profiles/flame?", "/api/correlate?"}
    deadline = time.monotonic() + 60
    while missing := wanted - {path for path in wanted for url in asked if path in url and start[1] in url}:
        assert time.monotonic() < deadline, missing
        page.wait_for_timeout(50)
    assert [url for url in asked if "/prometheus/api/v1/query_range" in url]


def test_a_line_leads_to_its_span_the_span_to_everything_and_a_frame_to_its_function(page: Page, shop_url: str) -> None:
    page.goto(shop_url + EXPLORE)
    lines = page.get_by_role("list", name="The newest warnings and errors")
    lines.get_by_role("link", name="Its trace").first.click()
    span = page.get_by_role("region", name="Span")
    expect(span).to_contain_text("checkout")
    span.get_by_role("link", name="Everything around it").click()
    expect(page.get_by_role("textbox", name="Labels")).to_have_value(re.compile('^service_name="checkout"'))
    expect(page.get_by_role("list", name="The slowest traces").get_by_role("listitem").first).to_be_visible()
    # A frame leads to its function.
    graph = page.get_by_role("region", name="Profiles").get_by_role("application")
    expect(graph).to_be_visible()
    graph.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("application", name=re.compile("^What it calls: run_forever"))).to_be_visible()
    # The function leads to spans and lines of the same processes.
    beside = page.get_by_role("region", name="Beside run_forever")
    expect(beside.get_by_role("list", name="Logs").get_by_role("link", name="Its trace").first).to_be_visible()
    beside.get_by_role("list", name="Spans").get_by_role("link").first.click()
    expect(span).to_contain_text("checkout")
