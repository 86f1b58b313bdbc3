"""Profiles of the shop: as a graph, a table, from both sides of a function, and against another version."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PROFILES = "/explore/profiles"
NEW = f'{PROFILES}?selector=service_name%3D"checkout",service_version%3D"2.0.0"'


def test_a_profile_is_a_flame_graph_over_time_and_a_table_that_leads_to_both_sides(page: Page, shop_url: str) -> None:
    page.goto(shop_url + PROFILES)
    expect(page.get_by_role("img", name="CPU time over time")).to_be_visible()
    graph = page.get_by_role("application")
    expect(graph).to_be_visible()
    graph.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("main")).to_contain_text(re.compile("run_forever; With what it calls"))
    page.get_by_role("searchbox", name="Find a function").fill("coupons")
    expect(page.get_by_text(re.compile(r"^2\d(\.\d)?\s%"))).to_be_visible()
    # The table sorts functions and leads to both sides.
    page.get_by_role("searchbox", name="Find a function").fill("")
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("template.render")
    page.get_by_role("searchbox", name="Find a function").fill("price_cart")
    page.get_by_role("button", name="price_cart").click()
    expect(page.get_by_role("application", name=re.compile("^What it calls: price_cart"))).to_be_visible()
    expect(page.get_by_role("application", name=re.compile("^Who calls it: price_cart"))).to_be_visible()
    expect(page).to_have_url(re.compile("function=price_cart"))


def test_a_version_is_compared_with_another(page: Page, shop_url: str) -> None:
    page.goto(shop_url + NEW)
    page.get_by_label("Compare with").select_option("1.0.0")
    page.get_by_role("button", name="Table").click()
    row = page.get_by_role("row").filter(has_text="try_all").first
    expect(row).to_contain_text("only in the candidate")


def test_without_profiles_it_says_where_to_send_them(page: Page, shop_url: str) -> None:
    page.goto(f'{shop_url}{PROFILES}?selector=service_name%3D"gateway"')
    expect(page.get_by_text("No profile came in this time")).to_be_visible()
    expect(page.get_by_text(re.compile("/pyroscope$"))).to_be_visible()
