"""Delivery: a pipeline is started, watched as it runs, and explains why it failed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.thorough import THOROUGH
from tests.ui.axe import violations
from tests.ui.pictures import paint
from tests.ui.shop_forge import make_pull_request

pytestmark = pytest.mark.browser


def test_a_pipeline_is_started_and_watched_to_its_end(page: Page, shop_url: str, tmp_path: Path) -> None:
    page.goto(f"{shop_url}/delivery")
    page.get_by_role("button", name="Start ship").click()
    form = page.get_by_role("form", name="Start ship with")
    form.get_by_label("version").fill("2.0.0")
    form.get_by_label("gate").fill(str(tmp_path / "gate"))
    form.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name=re.compile("^ship-run-"), level=1)).to_be_visible()
    tasks = page.get_by_role("region", name="What waits for what").get_by_role("listitem")
    expect(tasks).to_have_count(6)
    expect(tasks.filter(has_text="unit")).to_contain_text("Running")
    expect(tasks.filter(has_text="image")).to_contain_text("Waiting")
    log = page.get_by_role("listbox", name="Log")
    expect(log).to_contain_text(f"waiting for {tmp_path / 'gate'}")
    expect(page.get_by_role("button", name="Cancel the run")).to_be_visible()
    paint(page, "pipeline-run")
    (tmp_path / "gate").touch()
    expect(log).to_contain_text("412 tests passed")
    expect(log).to_contain_text("building 2.0.0 of 4f2a91c")
    expect(tasks.filter(has_text="tell")).to_contain_text("Succeeded")
    expect(page.get_by_text("1 failed").or_(page.get_by_text("Failed: 1"))).to_be_visible()
    # Why it failed: the task, its step's exit code, and its own lines.
    page.get_by_role("button", name="scan").click()
    expect(page.get_by_role("region", name="Task scan").get_by_role("listitem")).to_contain_text("exit code 3")
    expect(log.get_by_role("option")).to_have_text(["look <img src=x onerror=alert(1)> has a known hole"])
    expect(page).to_have_url(re.compile(r"\?task=scan$"))
    assert page.locator("img[src=x]").count() == 0
    if THOROUGH:
        assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 400")
    assert violations(page) == []


def test_a_run_is_cancelled_after_being_asked_twice(page: Page, shop_url: str, tmp_path: Path) -> None:
    started = page.request.post(
        f"{shop_url}/api/pipelines/runs",
        data={"name": "ship", "params": {"version": "3", "gate": str(tmp_path / "never")}},
    )
    page.goto(f"{shop_url}/delivery?pipeline=ship")
    page.get_by_role("link", name=started.json()["run"]).click()
    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("button", name="Really cancel it").click()
    tasks = page.get_by_role("region", name="What waits for what").get_by_role("listitem")
    expect(tasks.filter(has_text="unit")).to_contain_text("Cancelled")
    # Its last tasks run all the same.
    expect(tasks.filter(has_text="tell")).to_contain_text("Succeeded")
    expect(page.get_by_role("button", name="Cancel the run")).to_have_count(0)
    page.get_by_role("button", name="日本語").click()
    expect(page.get_by_role("button", name=re.compile("^unit"))).to_contain_text("取り消し")


def test_a_server_without_pipelines_says_how_to_have_them(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/delivery")
    expect(page.get_by_role("heading", name="This server runs no pipelines")).to_be_visible()
    expect(page.get_by_text("PILOTHOUSE_PIPELINES=.tekton pilothouse up")).to_be_visible()


def test_a_version_is_promoted_after_looking_at_what_would_change(page: Page, shop_url: str) -> None:
    page.goto(f"{shop_url}/delivery")
    page.get_by_role("link", name="Environments").click()
    row = page.get_by_role("region", name="Services by environments").get_by_role("row").filter(has_text="checkout")
    production = row.get_by_role("cell").last
    # Both versions send telemetry, and only one of them is declared.
    expect(production).to_contain_text("drifted")
    expect(production.get_by_role("list", name="Heard")).to_contain_text("2.0.0 1 instance")
    row.get_by_role("button", name="Promote 2.0.0 to production…").click()
    change = page.get_by_role("region", name="What would change", exact=True)
    diff = change.get_by_role("region", name="What would change: diff")
    expect(diff).to_contain_text("+      - image: registry.example.org/shop/checkout:2.0.0")
    assert violations(page) == []
    change.get_by_role("button", name="Promote it").click()
    one = page.get_by_role("list", name="Promotions").get_by_role("listitem").first
    expect(one).to_contain_text("checkout 1.0.0 → 2.0.0")
    expect(one).to_contain_text("waits for an approval")
    one.get_by_role("textbox", name="Your name").fill("ann")
    one.get_by_role("button", name="Approve").click()
    expect(one).to_contain_text("deployed")
    expect(production.locator("strong")).to_have_text("2.0.0")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 400")
    page.get_by_role("button", name="日本語").click()
    expect(page.get_by_role("heading", name="どこで何が動いているか")).to_be_visible()
    expect(page.get_by_text("宣言は 2.1.0 ですが、テレメトリーがありません")).to_be_visible()
    if THOROUGH:
        assert violations(page) == []


def test_a_pull_request_says_why_it_does_not_merge(page: Page, shop_url: str, tmp_path: Path) -> None:
    number = make_pull_request(shop_url, tmp_path / "clone")
    page.goto(f"{shop_url}/delivery/pulls")
    row = page.get_by_role("list", name="Pull requests of shop/checkout").get_by_role("listitem")
    row.get_by_role("link", name="Combine coupons").click()
    expect(page.get_by_role("heading", name=f"Combine coupons #{number}", level=1)).to_be_visible()
    against = page.get_by_role("list", name="It does not merge").get_by_role("listitem")
    expect(against.filter(has_text="failed: ci/test 2 of 412 tests failed")).to_be_visible()
    expect(against.filter(has_text="ann asked for changes.")).to_be_visible()
    expect(against.filter(has_text="it has the label do-not-merge/hold")).to_be_visible()
    page.get_by_text("What was done at each event").click()
    said = page.get_by_role("list", name="What was said")
    expect(said).to_contain_text("This is quadratic.")
    expect(said.get_by_role("listitem").filter(has_text="Each coupon once?")).to_contain_text("checkout.py:1")
    expect(page.get_by_role("region", name="Description")).to_contain_text("<b>Not</b> HTML.")
    diff = page.get_by_role("region", name="Changes: diff")
    expect(diff).to_contain_text("+total = sum(prices) - combine(coupons)")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 400")
    page.get_by_role("button", name="日本語").click()
    expect(page.get_by_role("heading", name="マージできません")).to_be_visible()
    expect(page.get_by_text("ラベル do-not-merge/hold が付いています")).to_be_visible()
    assert violations(page) == []
