"""The known ways to get hurt: all rules, searched; and what to do where no cluster is watched."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui.axe import violations

pytestmark = pytest.mark.browser


def test_rules_are_searched_and_tell_their_reason(page: Page, shop_url: str) -> None:
    rules = httpx.get(f"{shop_url}/api/hazards/rules").json()["rules"]
    page.goto(f"{shop_url}/hazards")
    expect(page.get_by_text("No cluster is watched.")).to_be_visible()
    expect(page.get_by_role("heading", name=f"{len(rules)} known ways to get hurt")).to_be_visible()
    page.get_by_role("searchbox", name="Find a rule").fill("DNS-001")
    expect(page.get_by_role("heading", name=re.compile(r"^\d known ways? to get hurt"))).to_be_visible()
    first = next(rule for rule in rules if rule["id"] == "DNS-001")
    page.get_by_text(first["title"]).first.click()
    expect(page.get_by_text(first["why"])).to_be_visible()
    expect(page).to_have_url(re.compile("find=DNS-001"))
    assert violations(page) == []
