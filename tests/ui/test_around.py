"""Around a release: where it came from, its service's objectives, hazards; and what changed at any time."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui.axe import violations
from tests.ui.conftest import Watch

pytestmark = pytest.mark.browser

SLO = """
service: checkout
objectives: [{name: quick, latency: 30ms, target: 95 %, operation: POST /checkout}]
window: 7d
"""


def post(address: str, path: str, body: dict[str, object]) -> dict[str, object]:
    response = httpx.post(address + path, json=body, timeout=60)
    response.raise_for_status()
    return dict(response.json())


def test_a_release_leads_to_the_run_that_made_it_and_to_its_objectives(
    page: Page, shop_url: str, verdict_path: str
) -> None:
    run = post(shop_url, "/api/pipelines/runs", {"name": "ship", "params": {"version": "2.0.0"}})["run"]
    mark: dict[str, object] = {"service": "checkout", "version": "2.0.0", "by": "ann", "commit": "4f2a91c"}
    mark["url"] = f"{shop_url}/delivery/runs/{run}"
    post(shop_url, "/api/releases", mark)
    post(shop_url, "/api/slos", {"slo": SLO})
    page.goto(shop_url + verdict_path)
    origin = page.get_by_role("region", name="Where it came from")
    expect(origin).to_contain_text("4f2a91c")
    expect(origin.get_by_role("listitem").filter(has_text=str(run))).to_be_visible()
    objective = page.get_by_role("region", name="Objectives")
    expect(objective.get_by_role("row")).not_to_have_count(1)
    expect(objective).to_contain_text("quick")
    origin.get_by_role("link", name=f"/delivery/runs/{run}").click()
    expect(page.get_by_role("heading", name=str(run), level=1)).to_be_visible()


def test_what_changed_at_a_time_is_told_like_a_verdict(
    page: Page, shop_url: str, verdict_path: str, watch: Watch
) -> None:
    page.goto(shop_url + verdict_path)
    page.get_by_role("link", name="What changed?").click()
    form = page.get_by_role("form", name="What changed?")
    expect(form.get_by_label("Service")).to_have_value("checkout")
    form.get_by_label("When, or how long ago").fill("16m")
    form.get_by_label("How long after it").select_option("5m")
    form.get_by_role("button", name="Tell me").click()
    expect(page).to_have_url(re.compile("at=16m&around=5m"))
    expect(page.get_by_role("heading", name=re.compile("checkout after"), level=2)).to_be_visible()
    assert violations(page) == []
    form.get_by_label("When, or how long ago").fill("some day")
    form.get_by_role("button", name="Tell me").click()
    expect(page.get_by_role("alert")).to_contain_text("It is about “at”")
    watch.errors.clear()
