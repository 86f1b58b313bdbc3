"""The mesh: splits held against what was measured, access, and one request explained."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.thorough import THOROUGH
from tests.ui.axe import violations
from tests.ui.pictures import paint

pytestmark = pytest.mark.browser

THIN = "\u202f"


def test_a_split_is_held_against_the_measured_shares(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/mesh?since=30m")
    split = page.get_by_role("list", name="Splits").get_by_role("listitem").filter(has_text="shop/checkout")
    expect(split).to_contain_text("Not honoured")
    new = split.get_by_role("row").filter(has_text="shop/checkout-v2")
    expect(new).to_contain_text(f"10{THIN}%")
    expect(new).to_contain_text(re.compile(rf"▲ 49\.\d{THIN}%"))
    expect(page.get_by_role("region", name=re.compile(r"things? to look at"))).to_contain_text(
        "TrafficSplit shop/checkout"
    )
    graph = page.get_by_role("region", name="Graph of the services")
    expect(graph.get_by_role("listitem")).to_have_count(6)
    expect(graph).to_contain_text(re.compile(rf"▲ 10{THIN}% → 49\.\d{THIN}%"))
    paint(page, "mesh")
    page.get_by_role("button", name="Access").click()
    expect(page).to_have_url(re.compile("show=access"))
    expect(page.get_by_role("region", name="Every traffic target")).to_contain_text("POST /checkout.*")
    if THOROUGH:
        assert violations(page) == []


def test_a_request_is_explained_and_the_question_is_in_the_address(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/mesh")
    form = page.get_by_role("form", name="Explain a request")
    form.get_by_label("From the account").fill("shop/gateway")
    form.get_by_label("To the Service").fill("shop/checkout")
    form.get_by_label("Method").fill("POST")
    form.get_by_label("Path").fill("/checkout/cart")
    form.get_by_role("button", name="Explain").click()
    told = page.get_by_role("list", name="Where it goes").get_by_role("listitem")
    expect(told.first).to_contain_text(f"90{THIN}% shop/checkout-v1")
    expect(told.first).to_contain_text("let in")
    form.get_by_label("Method").fill("DELETE")
    form.get_by_role("button", name="Explain").click()
    expect(told.first).to_contain_text("refused")
    page.reload()
    expect(told.first).to_contain_text("refused")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 400")
    page.get_by_role("button", name="日本語").click()
    told = page.get_by_role("list", name="行き先")
    expect(told).to_contain_text("拒否される")
    expect(told).to_contain_text("呼び出し元を含みますが、このリクエストに当たる規則がありません")
    assert violations(page) == []


def test_a_server_without_a_mesh_says_how_to_have_one(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/mesh")
    expect(page.get_by_role("heading", name="No mesh is configured")).to_be_visible()
    expect(page.get_by_text("PILOTHOUSE_MESH_CONFIG=smi/ pilothouse up")).to_be_visible()
