"""A rollout as it goes, and what a person can do to it; a real router takes the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.releases.rollout.hook import Router, router

pytestmark = pytest.mark.browser

PLAN = """
service: checkout
baseline: 1.0.0
candidate: 2.0.0
traffic: {url: URL}
steps: [{weight: 10, for: 1h}, {weight: 50, for: 1h}, {weight: 100}]
judge: {every: 1h}
"""


@pytest.fixture
def hook() -> Iterator[Router]:
    with router() as made:
        yield made


def test_a_rollout_is_watched_paused_and_aborted(page: Page, shop_url: str, hook: Router) -> None:
    page.goto(f"{shop_url}/rollouts")
    expect(page.get_by_role("region", name="No rollout yet")).to_contain_text("pilothouse rollout start")
    plan = {"plan": PLAN.replace("URL", hook.url), "by": "ann"}
    httpx.post(f"{shop_url}/api/rollouts", json=plan).raise_for_status()
    page.get_by_role("link", name="checkout 1.0.0 → 2.0.0").click()
    expect(page.get_by_role("list", name="Steps").get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("img", name="2.0.0 has 10 % of the traffic")).to_be_visible()
    expect(page.get_by_role("list", name="What happened")).to_contain_text("in 3 steps")
    # Home has it too, beside the service's versions, and leads to it.
    page.get_by_role("link", name=re.compile("^Pilothouse: ")).click()
    ongoing = page.get_by_role("region", name=re.compile("^Rollout")).filter(has_text="1.0.0 → 2.0.0")
    expect(ongoing.get_by_role("img", name="2.0.0 has 10 % of the traffic")).to_be_visible()
    ongoing.get_by_role("link", name="1.0.0 → 2.0.0").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("list", name="What happened")).to_contain_text("page")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Abort").click()
    page.get_by_role("button", name="Really abort and roll back").click()
    expect(page.get_by_text(re.compile("^Roll(ed|ing) back$"))).to_be_visible()
    expect(page.get_by_role("img", name="2.0.0 has 0 % of the traffic")).to_be_visible()
    assert hook.changes[-1] == {"1.0.0": 100, "2.0.0": 0}
