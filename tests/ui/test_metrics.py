"""Metrics of the shop: from the list of all to a chart, a table, a trace."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Watch

pytestmark = pytest.mark.browser

METRICS = "/explore/metrics"
MEMORY = f"{METRICS}?query=process_memory_usage_bytes"


def test_a_metric_is_chosen_from_all_and_drawn_by_version(page: Page, shop_url: str) -> None:
    page.goto(f'{shop_url}{METRICS}?selector=service_name%3D"checkout"')
    page.get_by_role("searchbox", name="Find a metric").fill("duration")
    page.get_by_role("button", name="http_server_request_duration_seconds").click()
    expect(page.get_by_role("textbox", name="PromQL expression 1")).to_contain_text("histogram_quantile(0.95")
    expect(page.get_by_role("img", name=re.compile("^histogram_quantile"))).to_be_visible()
    lines = page.get_by_role("list", name=re.compile("^Lines"))
    expect(lines.get_by_role("button")).to_have_text(["service_version=1.0.0", "service_version=2.0.0"])
    page.get_by_text("Numbers", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="2.0.0")).to_contain_text(re.compile(r"\d\sms"))
    # An exemplar leads to its trace, also without pointing at a chart.
    page.get_by_role("checkbox", name="Exemplars (click one for its trace)").check()
    page.get_by_text(re.compile("^The highest of .* exemplars")).click()
    page.get_by_role("list", name=re.compile("^The highest of")).get_by_role("link").first.click()
    expect(page.get_by_role("listbox", name="Spans in the order of the calls")).to_be_visible()


def test_an_expression_is_written_completed_and_taken_with_enter(page: Page, shop_url: str) -> None:
    page.goto(shop_url + METRICS)
    editor = page.get_by_role("textbox", name="PromQL expression 1")
    editor.click()
    page.keyboard.type("process_mem")
    page.get_by_role("option", name=re.compile("process_memory_usage_bytes")).click()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("query=process_memory_usage_bytes"))
    expect(page.get_by_role("img", name="process_memory_usage_bytes")).to_be_visible()


def test_a_table_has_units(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}{METRICS}?view=table&query=max_over_time(process_memory_usage_bytes[1h])")
    expect(page.get_by_role("row").filter(has_text="checkout-2.0.0-0")).to_contain_text(re.compile(r"19\d\sMB"))


def test_a_mistake_is_shown_in_the_server_s_words(page: Page, shop_url: str, watch: Watch) -> None:
    page.goto(f"{shop_url}{METRICS}?query=rate(shop_orders_total[1m]")
    expect(page.get_by_role("alert")).to_contain_text("unclosed left parenthesis")
    watch.errors.clear()


def test_several_expressions_share_the_page_and_its_address(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}{MEMORY}&query=process_threads")
    expect(page.get_by_role("region", name="process_threads")).to_be_visible()
    # A line can be looked at alone.
    memory = page.get_by_role("region", name="process_memory_usage_bytes")
    lines = memory.get_by_role("list", name=re.compile("^Lines")).get_by_role("button")
    expect(lines).to_have_count(5)
    lines.first.click()
    expect(memory.get_by_role("list", name=re.compile("^Lines")).get_by_role("button", pressed=True)).to_have_count(1)
    lines.first.click()
    expect(memory.get_by_role("list", name=re.compile("^Lines")).get_by_role("button", pressed=True)).to_have_count(5)
    page.get_by_role("button", name="Remove expression 1").click()
    expect(page.get_by_role("region", name="process_memory_usage_bytes")).to_have_count(0)
    expect(page).to_have_url(f"{shop_url}{METRICS}?query=process_threads")
