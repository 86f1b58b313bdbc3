"""The story of a release, of what went in by the real ports and was judged by the real judge."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui.axe import violations

pytestmark = pytest.mark.browser

SLO = """
service: checkout
objectives: [{name: quick, latency: 30ms, target: 95 %, operation: POST /checkout}]
window: 7d
"""


def test_from_the_run_that_shipped_it_to_the_evidence_against_it(page: Page, shop_url: str) -> None:
    with httpx.Client(base_url=shop_url, timeout=60) as client:
        run = client.post("/api/pipelines/runs", json={"name": "ship", "params": {"version": "2.0.0"}}).json()["run"]
        mark = {"service": "checkout", "version": "2.0.0", "by": "ann", "commit": "4f2a91c"}
        mark["url"] = f"{shop_url}/delivery/runs/{run}"
        assert client.post("/api/releases", json=mark).status_code == 201
        client.post("/api/slos", json={"slo": SLO}).raise_for_status()
    # The run leads nowhere by itself: home does, with every version and what is known of it.
    page.goto(f"{shop_url}/delivery/runs/{run}")
    expect(page.get_by_role("heading", name=str(run), level=1)).to_be_visible()
    page.get_by_role("link", name=re.compile("^Pilothouse: ")).click()
    page.get_by_role("list", name="Releases of checkout").get_by_role("link", name="checkout 2.0.0").click()

    story = page.get_by_role("region", name="checkout 2.0.0 is worse than 1.0.0")
    expect(story).to_contain_text("Worse")
    expect(story).to_contain_text("combine_coupons is new")
    origin = page.get_by_role("region", name="Where it came from")
    expect(origin).to_contain_text("4f2a91c")
    expect(origin.get_by_role("listitem").filter(has_text=str(run))).to_be_visible()
    objective = page.get_by_role("region", name="Objectives")
    expect(objective.get_by_role("row")).not_to_have_count(1)
    expect(objective).to_contain_text("quick")

    patterns = page.get_by_role("region", name="New log patterns")
    expect(patterns).to_contain_text("could not be combined for order")
    expect(patterns.get_by_role("list", name="Example lines")).to_contain_text("ord-")
    expect(page.get_by_role("region", name="Metrics that moved").get_by_role("img").first).to_be_visible()
    assert violations(page) == []

    # A finding about a function is looked up in the flame graph of the difference.
    worse = page.get_by_role("region", name="What is worse")
    worse.get_by_role("link", name=re.compile("^combine_coupons is new")).click()
    expect(page.get_by_role("searchbox", name="Find a function")).to_have_value("combine_coupons")
    expect(page.get_by_text(re.compile(r"^\d+ frames? match"))).to_be_visible()

    origin.get_by_role("link", name=f"/delivery/runs/{run}").click()
    expect(page.get_by_role("heading", name=str(run), level=1)).to_be_visible()

    # Home knows the verdict from now on.
    page.get_by_role("link", name=re.compile("^Pilothouse: ")).click()
    newest = page.get_by_role("list", name="Releases of checkout").get_by_role("listitem").first
    expect(newest).to_contain_text("Worse")
