"""Traces of the shop: searched, opened, explained, compared; and who calls whom."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Watch

pytestmark = pytest.mark.browser

TRACES = "/explore/traces"


def failed_trace(address: str) -> str:
    """The newest trace with an error."""
    found = httpx.get(f"{address}/api/traces", params={"errors": "1", "service": "checkout"}).json()["traces"]
    return str(found[0]["trace_id"])


def test_traces_are_found_drawn_narrowed_by_conditions_and_traceql_and_opened(page: Page, shop_url: str) -> None:
    # The pipelines of other tests have traces too.
    shop = "selector=k8s_namespace_name%3D%22shop%22"
    page.goto(f"{shop_url}{TRACES}?{shop}")
    expect(page.get_by_role("img", name=re.compile("^Traces by when"))).to_be_visible()
    rows = page.get_by_role("row")
    expect(rows.nth(1)).to_contain_text("POST /buy")
    box = page.get_by_role("textbox", name="TraceQL")
    box.fill('{ name = "SELECT prices" && duration > 30ms }')
    with page.expect_response(re.compile("SELECT")):
        box.press("Enter")
    expect(rows.nth(1)).to_contain_text("POST /buy")
    page.wait_for_function("() => document.querySelectorAll('tr').length < 120")  # only those of the slow minute
    page.goto(f"{shop_url}{TRACES}?errors=1&{shop}")
    expect(rows.nth(1)).to_contain_text("3")
    page.get_by_role("link", name="gateway POST /buy").first.click()
    expect(page.get_by_role("heading", name="gateway POST /buy", level=1)).to_be_visible()
    expect(page.get_by_role("listbox", name="Spans in the order of the calls").get_by_role("option")).to_have_count(9)


def test_a_trace_folds_is_compared_and_tells_of_its_spans(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}{TRACES}/{failed_trace(shop_url)}")
    spans = page.get_by_role("listbox", name="Spans in the order of the calls")
    expect(spans.get_by_role("option")).to_have_count(9)
    spans.get_by_role("option").nth(2).click()
    spans.focus()
    page.keyboard.press("ArrowLeft")
    expect(spans.get_by_role("option")).to_have_count(3)
    expect(spans.get_by_role("option").nth(2)).to_contain_text("+6")
    page.keyboard.press("ArrowRight")
    expect(spans.get_by_role("option")).to_have_count(9)

    page.get_by_label("Compare with").select_option(index=3)
    table = page.get_by_role("region", name="Two traces by operation").get_by_role("row")
    expect(table).to_have_count(10)
    expect(table.nth(1)).to_contain_text(re.compile(r"\+\d+(\.\d+)?\sms"))
    page.get_by_role("button", name="Back to the waterfall").click()
    spans = page.get_by_role("listbox", name="Spans in the order of the calls")
    expect(spans.get_by_role("option").first).to_be_visible()

    # The one that was folded is chosen already; a click on what is chosen would put it away.
    spans.get_by_role("option").first.click()
    page.get_by_role("option").filter(has_text="checkout POST /checkout").click()
    span = page.get_by_role("region", name="Span")
    expect(span).to_contain_text("http.response.status_code")
    expect(span).to_contain_text("failed card gateway timed out")
    expect(span).to_contain_text(re.compile(r"payment for order ord-\w+ failed with 502"))
    expect(span).to_contain_text("on the critical path")
    expect(page).to_have_url(re.compile("span="))
    span.get_by_role("link", name=re.compile("^Release")).click()
    expect(page).to_have_url(re.compile("/releases/checkout/"))


def test_the_service_graph_says_who_calls_whom(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}{TRACES}?view=graph")
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name="postgresql"))
    expect(row).to_contain_text("catalog")
    page.get_by_role("region", name="Service graph").get_by_role("link", name="payments").click()
    expect(page).to_have_url(re.compile(r"selector=service_name%3D%22payments%22"))


def test_an_unknown_trace_is_told(page: Page, shop_url: str, watch: Watch) -> None:
    page.goto(f"{shop_url}{TRACES}/{'0' * 31}1")
    expect(page.get_by_role("alert")).to_contain_text("no span of trace")
    watch.errors.clear()
